# Compiler settings that every target of the project shares.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual)
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
  add_link_options(-pie -Wl,-z,relro,-z,now -Wl,--as-needed)
endif()

find_program(SFTDYN_CCACHE ccache)
if(SFTDYN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SFTDYN_CCACHE})
endif()

# A room is a folder under src, a static library and a namespace of one name.
# It may link only rooms further along the flow (docs/architecture.md), so an
# include in the wrong direction does not find its header.
function(sftdyn_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(sftdyn_${name} STATIC ${ROOM_SOURCES})
  # Headers are reached as "<room>/<header>.hpp" through a view of src that holds only this room.
  set(view ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${view}/${name} SYMBOLIC)
  target_include_directories(sftdyn_${name} PUBLIC ${view})
  foreach(used IN LISTS ROOM_USES)
    target_link_libraries(sftdyn_${name} PUBLIC sftdyn_${used})
  endforeach()
  target_link_libraries(sftdyn_${name} PUBLIC ${ROOM_LIBRARIES})
endfunction()
