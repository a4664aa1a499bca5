# The shared library: one file made of the rooms, which shows nothing but its interface.

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

install(TARGETS graphrun_library EXPORT graphrunShared)
install(EXPORT graphrunShared NAMESPACE graphrun:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/graphrun)
