# What `cmake --install` puts in place: one shared library made of the rooms, the public headers, the
# command, the bundled models, data and docs, and packages for CMake and pkg-config. A host needs none of the
# third-party headers: they are private to the library.

# `graphrun` is the command's name in the build directory.
add_library(graphrun_library SHARED)
add_library(graphrun::graphrun ALIAS graphrun_library)
set_target_properties(graphrun_library PROPERTIES
  OUTPUT_NAME graphrun
  EXPORT_NAME graphrun
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/exports.map)
# All objects of the rooms that public headers declare things of; of the others, whose archives these bring, what is
# needed: reading pictures is not, nor is fetching.
foreach(room IN ITEMS errors api)
  target_sources(graphrun_library PRIVATE $<TARGET_OBJECTS:graphrun_${room}>)
  target_link_libraries(graphrun_library PRIVATE $<BUILD_INTERFACE:graphrun_${room}>)
endforeach()
# A host may have its own copies of what stands below, of other versions: nothing of ours is seen from outside but what
# is marked, and what comes from static libraries is bound within. oneDNN is opened apart (runtime/machine).
file(GLOB bound CONFIGURE_DEPENDS api/bound/*.cpp)
target_sources(graphrun_library PRIVATE ${bound})
# What fmt can print is left out again.
target_compile_options(graphrun_library PRIVATE -ffunction-sections)
target_link_libraries(graphrun_library PRIVATE $<BUILD_INTERFACE:graphrun_options>)
# nodelete: TBB's workers may still be in our code when the last session of a plug-in is gone, and the host unloads it.
target_link_options(graphrun_library PRIVATE
  LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map LINKER:--as-needed LINKER:--gc-sections
  LINKER:-z,nodelete)
if(NOT GRAPHRUN_SANITIZE)
  # What a layer declares and nobody defines is found here, not by the host.
  target_link_options(graphrun_library PRIVATE LINKER:--no-undefined)
endif()
target_include_directories(graphrun_library INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(graphrun_library INTERFACE cxx_std_20)

install(TARGETS graphrun_library EXPORT graphrun)
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
install(EXPORT graphrun NAMESPACE graphrun:: FILE graphrunConfig.cmake DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/graphrunConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/graphrunConfigVersion.cmake DESTINATION ${package})

# pkg-config graphrun. The prefix is relative to the file, so that an installed tree may be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
  BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig OUTPUT_VARIABLE prefix_from_pkgconfig)
configure_file(cmake/graphrun.pc.in graphrun.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/graphrun.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
