# avbench_add_plugin(NAME SOURCES ...): a method plugin, in this repository as anywhere else. A module
# that sees the SDK and nothing else: NAME.so in AVBENCH_PLUGIN_DIR, or in the current build folder if
# that is not set. The target is avbench_plugin_NAME.
function(avbench_add_plugin name)
  cmake_parse_arguments(ARG "" "" "SOURCES" ${ARGN})
  set(plugin avbench_plugin_${name})
  if(NOT AVBENCH_PLUGIN_DIR)
    set(AVBENCH_PLUGIN_DIR ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  add_library(${plugin} MODULE ${ARG_SOURCES})
  target_link_libraries(${plugin} PRIVATE avbench::sdk)
  # A plugin is never unloaded: tensors and autograd nodes of its may outlive any handle. What is
  # undefined is found when linking, not when loading.
  target_link_options(${plugin} PRIVATE -Wl,-z,nodelete -Wl,-z,defs)
  set_target_properties(${plugin} PROPERTIES
                        OUTPUT_NAME ${name} PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${AVBENCH_PLUGIN_DIR}
                        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()
