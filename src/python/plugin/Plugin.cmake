# The plugin that runs Python confs: sftdyn-python.so, beside the program in the build folder, and in a folder of
# sftdyn's own when it is installed.
set(SFTDYN_PLUGIN_NAME sftdyn-python.so)
target_compile_definitions(sftdyn_python PRIVATE
  SFTDYN_PLUGIN_NAME="${SFTDYN_PLUGIN_NAME}" SFTDYN_PLUGIN_FOLDER="${CMAKE_INSTALL_FULL_LIBDIR}/sftdyn" SFTDYN_VERSION="${PROJECT_VERSION}")
if(NOT SFTDYN_PYTHON)
  return()
endif()

# What is Python in it becomes a string constant, as one module.
set(SUPPORT_PY "")
foreach(part redaction support)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/python/plugin/${part}.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(APPEND SUPPORT_PY "${text}")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/plugin/support_py.hpp @ONLY CONTENT [=[
#pragma once
constexpr const char* support_py = R"python(@SUPPORT_PY@)python";
]=])

add_library(sftdyn_python_plugin MODULE python/plugin/headers.cpp python/plugin/interpreter.cpp)
target_include_directories(sftdyn_python_plugin PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/plugin)
target_link_libraries(sftdyn_python_plugin PRIVATE sftdyn_python sftdyn_base PkgConfig::python pybind11::headers)
target_compile_definitions(sftdyn_python_plugin PRIVATE SFTDYN_VERSION="${PROJECT_VERSION}")
set_target_properties(sftdyn_python_plugin PROPERTIES
  PREFIX "" OUTPUT_NAME sftdyn-python CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
install(TARGETS sftdyn_python_plugin LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/sftdyn COMPONENT python)
