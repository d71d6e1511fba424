# SPDX-License-Identifier: GPL-3.0-or-later
# Stops when a file of a folder includes a header of a folder that it does not use.
#   cmake -DNAME=folder -DUSES=a,b -DFILES=file,… [-DSTAMP=file] -P CheckIncludes.cmake
string(REPLACE "," ";" uses "${USES}")
cmake_minimum_required(VERSION 3.25)
string(REPLACE "," ";" files "${FILES}")
foreach(file IN LISTS files)
  file(STRINGS ${file} includes REGEX "^#include \"[a-z_]+/")
  foreach(line IN LISTS includes)
    string(REGEX REPLACE "^#include \"([a-z_]+)/.*" "\\1" folder "${line}")
    if(NOT folder STREQUAL NAME AND NOT folder IN_LIST uses)
      message(FATAL_ERROR "${file}: ${line}\n${NAME} does not use ${folder} (docs/architecture.md has who may use whom)")
    endif()
  endforeach()
endforeach()
if(STAMP)
  file(TOUCH ${STAMP})
endif()
