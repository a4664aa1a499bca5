# What every target is compiled with, in one place.
add_library(graphrun_options INTERFACE)
target_compile_options(graphrun_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  # The same source gives the same bits on every instruction set: no contraction into fused
  # multiply-adds behind our back. errno and traps would only forbid vectorisation.
  -ffp-contract=off -fno-math-errno -fno-trapping-math)
# Vectors are passed between inlined functions alone: no interface is at stake.
target_compile_options(graphrun_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi>)
# At -O3 GCC's warnings that follow the flow of values see faults in the standard library that are not there
# (GCC bugs 105651, 105562 and their like). The dev preset builds at -O1 and keeps them, as errors.
target_compile_options(graphrun_options INTERFACE
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-restrict -Wno-array-bounds -Wno-maybe-uninitialized
  -Wno-stringop-overflow -Wno-stringop-overread>)
if(GRAPHRUN_WERROR)
  target_compile_options(graphrun_options INTERFACE -Werror)
endif()
target_include_directories(graphrun_options INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
if(GRAPHRUN_SANITIZE)
  # GCC 12 warns of uninitialised variants that it only sees in instrumented code.
  target_compile_options(graphrun_options INTERFACE -Wno-maybe-uninitialized)
endif()
foreach(sanitizer IN LISTS GRAPHRUN_SANITIZE)
  target_compile_options(graphrun_options INTERFACE -fsanitize=${sanitizer} -fno-omit-frame-pointer)
  target_link_options(graphrun_options INTERFACE -fsanitize=${sanitizer})
endforeach()
if("undefined" IN_LIST GRAPHRUN_SANITIZE)
  # A report ends the program, or nobody would see it in a test that passes. Floats that fit no integer are not
  # in the group, but numbers of users come that way.
  target_compile_options(graphrun_options INTERFACE -fsanitize=float-cast-overflow -fno-sanitize-recover=all)
  # This check follows run-time type information into TBB, which is built without it, and is wrong there.
  target_compile_options(graphrun_options INTERFACE -fno-sanitize=vptr)
endif()

# A second build of the same source costs little where ccache is installed.
find_program(GRAPHRUN_CCACHE ccache)
if(GRAPHRUN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${GRAPHRUN_CCACHE})
endif()
