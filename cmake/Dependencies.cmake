# SPDX-License-Identifier: GPL-3.0-or-later
# Libraries from Debian 12; docs/dependencies.md says what each is for.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(knot REQUIRED IMPORTED_TARGET libknot>=3.2 libdnssec>=3.2 libzscanner>=3.2)
pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(libseccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(libcapng REQUIRED IMPORTED_TARGET libcap-ng)
pkg_check_modules(libargon2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(libidn2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(libqrencode REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
if(SFTDYN_PYTHON)
  # Debian's own, whatever other Python is on the PATH.
  pkg_check_modules(python REQUIRED IMPORTED_TARGET python3-embed)
  # By its CMake package: the pkg-config file of Debian 13 has an empty prefix. Which Python it is for is said above.
  set(PYBIND11_NOPYTHON ON)
  find_package(pybind11 2.10 CONFIG REQUIRED)
endif()
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)

# Asio and Beast are compiled once, in src/base/asio.cpp.
add_library(sftdyn_boost INTERFACE)
target_link_libraries(sftdyn_boost INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(sftdyn_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_DISABLE_BOOST_REGEX BOOST_ERROR_CODE_HEADER_ONLY)

# The thread sanitizer does not understand fences; Asio's other synchronisation is enough for it.
if(SFTDYN_SANITIZE MATCHES "thread")
  target_compile_definitions(sftdyn_boost INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
