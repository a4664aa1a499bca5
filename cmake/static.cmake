# The static library: the objects of all rooms below the public headers in one archive. Nothing hides what it stands on:
# a host that has a oneDNN, a yaml-cpp or an fmt of its own takes the shared one.

# The rooms that TARGET links, itself included, are put into the list INTO.
function(graphrun_rooms_below target into)
  if(target IN_LIST ${into})
    return()
  endif()
  list(APPEND ${into} ${target})
  get_target_property(type ${target} TYPE)
  set(links INTERFACE_LINK_LIBRARIES)
  if(NOT type STREQUAL INTERFACE_LIBRARY)
    set(links LINK_LIBRARIES)
  endif()
  get_target_property(used ${target} ${links})
  foreach(room IN LISTS used)
    if(room MATCHES "^graphrun_" AND NOT room STREQUAL graphrun_options)
      graphrun_rooms_below(${room} ${into})
    endif()
  endforeach()
  set(${into} ${${into}} PARENT_SCOPE)
endfunction()

find_package(TBB REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)

set(rooms "")
graphrun_rooms_below(graphrun_api rooms)
# As in the shared library, pictures are not read.
list(REMOVE_ITEM rooms graphrun_files_png graphrun_files_jpeg)
add_library(graphrun_static STATIC api/bound/format.cpp)
foreach(room IN LISTS rooms)
  get_target_property(type ${room} TYPE)
  if(type STREQUAL STATIC_LIBRARY)
    target_sources(graphrun_static PRIVATE $<TARGET_OBJECTS:${room}>)
  endif()
endforeach()
target_link_libraries(graphrun_static
  INTERFACE TBB::tbb ZLIB::ZLIB Threads::Threads ${GRAPHRUN_YAML_CPP} ${CMAKE_DL_LIBS})
target_include_directories(graphrun_static INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(graphrun_static INTERFACE cxx_std_20)
set_target_properties(graphrun_static PROPERTIES OUTPUT_NAME graphrun EXPORT_NAME static)
add_library(graphrun::static ALIAS graphrun_static)

install(TARGETS graphrun_static EXPORT graphrunStatic)
install(EXPORT graphrunStatic NAMESPACE graphrun:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/graphrun)
