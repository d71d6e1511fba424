# SPDX-License-Identifier: GPL-3.0-or-later
# Compiler settings that every target of the project shares.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual)
# Clang checks which lock, and which thread, what is annotated takes (base/thread_annotations.hpp).
add_compile_options($<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
# GCC 12 sees overlaps in std::string where there are none (GCC bug 105329).
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(CMAKE_UNITY_BUILD)
  # Files compiled as one see each other's names; that each stands alone is for the builds that aren't.
  add_compile_options(-Wno-shadow)
endif()
if(SFTDYN_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_options(-fstack-protector-strong -fno-omit-frame-pointer)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# As Debian builds: -O3 makes it no faster, but larger in memory; so does code that nobody calls.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
add_compile_options($<$<CONFIG:Release>:-ffunction-sections> $<$<CONFIG:Release>:-fdata-sections>)
add_link_options($<$<CONFIG:Release>:-Wl,--gc-sections>)

if(SFTDYN_SANITIZE)
  add_compile_options(-fsanitize=${SFTDYN_SANITIZE} -fno-sanitize-recover=all)
  if(SFTDYN_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)  # std::shared_ptr and Asio hold fences in headers
  endif()
  add_link_options(-fsanitize=${SFTDYN_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie> -Wl,-z,relro,-z,now -Wl,--as-needed)
endif()

find_program(SFTDYN_CCACHE ccache)
if(SFTDYN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SFTDYN_CCACHE})
endif()

# A folder of src is a target, a static library and a namespace of one name. Its CMakeLists.txt names the folders that it uses:
# the build stops at an include of any other (cmake/CheckIncludes.cmake), and each header stands alone
# (all_verify_interface_header_sets).
function(sftdyn_folder name)
  cmake_parse_arguments(FOLDER "" "" "SOURCES;HEADERS;USES;LIBRARIES" ${ARGN})
  set(target sftdyn_${name})
  add_library(${target} STATIC ${FOLDER_SOURCES})
  list(TRANSFORM FOLDER_HEADERS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE headers)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${headers})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  foreach(used IN LISTS FOLDER_USES)
    target_link_libraries(${target} PUBLIC sftdyn_${used})
  endforeach()
  target_link_libraries(${target} PUBLIC ${FOLDER_LIBRARIES})

  set(stamp ${CMAKE_CURRENT_BINARY_DIR}/includes_checked)
  list(TRANSFORM FOLDER_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
  list(JOIN FOLDER_USES "," uses)
  list(JOIN headers "," header_list)
  list(JOIN sources "," source_list)
  add_custom_command(OUTPUT ${stamp}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DUSES=${uses} -DFILES=${header_list},${source_list} -DSTAMP=${stamp}
            -P ${PROJECT_SOURCE_DIR}/cmake/CheckIncludes.cmake
    DEPENDS ${headers} ${sources} ${PROJECT_SOURCE_DIR}/cmake/CheckIncludes.cmake VERBATIM)
  add_custom_target(${target}_includes DEPENDS ${stamp})
  add_dependencies(${target} ${target}_includes)
endfunction()
