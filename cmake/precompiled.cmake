# What nearly every file includes takes half a second to read, a fifth of a build. It is read once for each kind of target.
# Kinds differ in flags, which a header keeps, and in what most of their files include. No file may depend on it: the other
# presets build without and find what a file forgot to include. ccache does better without, too.
set(GRAPHRUN_PRECOMPILED OFF)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(GRAPHRUN_PRECOMPILED ON)
  find_package(fmt REQUIRED)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cpp CONTENT "int main() {}\n")
endif()

# For code that nobody waits for when it runs: a third of what is compiled.
function(graphrun_compile_quickly target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-Og>)
endfunction()

# graphrun_precompiled(KIND [PROGRAM] [QUICK] [HEADERS HEADER...]): what graphrun_precompile(TARGET KIND) takes, with these
# headers beside those of everything. Programs are compiled with other flags than libraries.
function(graphrun_precompiled kind)
  if(NOT GRAPHRUN_PRECOMPILED)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 kind "PROGRAM;QUICK" "" "HEADERS")
  set(target graphrun_precompiled_${kind})
  if(kind_PROGRAM)
    add_executable(${target} ${PROJECT_BINARY_DIR}/precompiled.cpp)
  else()
    add_library(${target} STATIC ${PROJECT_BINARY_DIR}/precompiled.cpp)
  endif()
  target_link_libraries(${target} PRIVATE graphrun_options fmt::fmt)
  if(kind_QUICK)
    graphrun_compile_quickly(${target})
  endif()
  target_precompile_headers(${target} PRIVATE
    <algorithm> <array> <atomic> <cmath> <cstring> <filesystem> <functional> <map> <memory> <optional> <set> <span>
    <sstream> <string> <unordered_map> <variant> <vector> <fmt/format.h> ${kind_HEADERS})
endfunction()

function(graphrun_precompile target kind)
  if(GRAPHRUN_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM graphrun_precompiled_${kind})
  endif()
endfunction()

set(op_header ${PROJECT_SOURCE_DIR}/graph/op.hpp)
set(learner_header ${PROJECT_SOURCE_DIR}/train/learn/learner.hpp)
graphrun_precompiled(plain)
graphrun_precompiled(graph HEADERS ${op_header})
graphrun_precompiled(learner HEADERS ${learner_header})
graphrun_precompiled(quick_plain QUICK)
graphrun_precompiled(quick_graph QUICK HEADERS ${op_header})
graphrun_precompiled(quick_learner QUICK HEADERS ${learner_header})
graphrun_precompiled(command PROGRAM QUICK HEADERS ${learner_header})
