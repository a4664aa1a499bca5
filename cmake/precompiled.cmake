# What nearly every file includes takes half a second to read, a fifth of a build. It is read once for libraries, once
# for programs, which are compiled with other flags, and once for tests. No file may depend on it: the other presets
# build without and find what a file forgot to include. ccache does better without, too.
set(GRAPHRUN_PRECOMPILED OFF)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(GRAPHRUN_PRECOMPILED ON)
  find_package(fmt REQUIRED)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cpp CONTENT "int main() {}\n")
endif()

# graphrun_precompiled(KIND HEADER...): what graphrun_precompile(TARGET KIND) takes, with these headers too.
function(graphrun_precompiled kind)
  if(NOT GRAPHRUN_PRECOMPILED)
    return()
  endif()
  if(kind STREQUAL "library")
    add_library(graphrun_precompiled_${kind} STATIC ${PROJECT_BINARY_DIR}/precompiled.cpp)
  else()
    add_executable(graphrun_precompiled_${kind} ${PROJECT_BINARY_DIR}/precompiled.cpp)
  endif()
  target_link_libraries(graphrun_precompiled_${kind} PRIVATE graphrun_options fmt::fmt)
  if(kind STREQUAL "test")
    target_compile_options(graphrun_precompiled_${kind} PRIVATE -O1)
  endif()
  target_precompile_headers(graphrun_precompiled_${kind} PRIVATE
    <algorithm> <array> <atomic> <cmath> <cstring> <filesystem> <functional> <map> <memory> <optional> <set> <span>
    <sstream> <string> <unordered_map> <variant> <vector> <fmt/format.h> ${ARGN})
endfunction()

function(graphrun_precompile target kind)
  if(GRAPHRUN_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM graphrun_precompiled_${kind})
  endif()
endfunction()

graphrun_precompiled(library)
graphrun_precompiled(program)
