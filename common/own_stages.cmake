# Stages of one's own, which ./lab copy makes: built when they are run, and by nothing else, so that a mistake in one of them
# is nobody else's. A warning is for reading there, and never stops a build.
function(own_stage)
  get_filename_component(name ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  add_executable(own_${name} ${sources})
  target_link_libraries(own_${name} PRIVATE common)
  target_include_directories(own_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_precompile_headers(own_${name} REUSE_FROM common)
  set_target_properties(own_${name} PROPERTIES COMPILE_WARNING_AS_ERROR OFF)
endfunction()

file(GLOB own_stages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/own/*/CMakeLists.txt)
foreach(stage ${own_stages})
  get_filename_component(directory ${stage} DIRECTORY)
  add_subdirectory(${directory} EXCLUDE_FROM_ALL)
endforeach()
