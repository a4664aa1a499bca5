# What `cmake --install` puts in place: the library, shared and static, the public headers, the command, the bundled
# models, data and docs, and packages for CMake and pkg-config. A host needs none of the third-party headers: they are
# private to the library.

include(cmake/static.cmake)
# With BUILD_SHARED_LIBS=OFF there is the static one alone, and is what graphrun::graphrun means.
if(NOT DEFINED BUILD_SHARED_LIBS OR BUILD_SHARED_LIBS)
  include(cmake/shared.cmake)
else()
  add_library(graphrun::graphrun ALIAS graphrun_static)
endif()

install(TARGETS graphrun_cli)
install(DIRECTORY include/graphrun DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(folder models data docs examples)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${folder})
    install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_DATADIR}/graphrun)
  endif()
endforeach()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/graphrun)

# The manual page and what shells complete, as the program prints them.
set(made ${PROJECT_BINARY_DIR}/made)
file(MAKE_DIRECTORY ${made})
add_custom_command(OUTPUT ${made}/graphrun.1 ${made}/graphrun.bash ${made}/_graphrun ${made}/graphrun.fish
  COMMAND graphrun_cli manual > ${made}/graphrun.1
  COMMAND graphrun_cli completion bash > ${made}/graphrun.bash
  COMMAND graphrun_cli completion zsh > ${made}/_graphrun
  COMMAND graphrun_cli completion fish > ${made}/graphrun.fish
  DEPENDS graphrun_cli VERBATIM)
add_custom_target(graphrun_made ALL DEPENDS ${made}/graphrun.1)
install(FILES ${made}/graphrun.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${made}/graphrun.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME graphrun)
install(FILES ${made}/_graphrun DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${made}/graphrun.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# find_package(graphrun)
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/graphrun)
configure_file(cmake/graphrunConfig.cmake.in graphrunConfig.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/graphrunConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/graphrunConfig.cmake ${PROJECT_BINARY_DIR}/graphrunConfigVersion.cmake
  DESTINATION ${package})

# pkg-config graphrun. The prefix is relative to the file, so that an installed tree may be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
  BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig OUTPUT_VARIABLE prefix_from_pkgconfig)
configure_file(cmake/graphrun.pc.in graphrun.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/graphrun.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
