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

# avbench_add_method_test(NAME [SOURCES ...] [GOLDEN FILE.safetensors TOTAL] [SET PARAMETER=VALUE...])
#   Tests of the plugin NAME for ctest: NAME.check runs `avbench check`; with SOURCES NAME.test runs
#   the program made of them and the plugin's own code, which fails by its exit code; with GOLDEN
#   NAME.golden expects of `avbench loss` the total TOTAL. SET holds for check and golden.
function(avbench_add_method_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;GOLDEN;SET" ${ARGN})
  set(plugin avbench_plugin_${name})
  if(NOT TARGET ${plugin} OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "avbench_add_method_test(${name}): expected the NAME of an avbench_add_plugin() "
                        "above, then SOURCES, GOLDEN and SET; got '${ARG_UNPARSED_ARGUMENTS}' beside them.")
  endif()
  set(program ${AVBENCH_PROGRAM})
  if(TARGET avbench)
    set(program avbench)
  endif()
  list(TRANSFORM ARG_SET PREPEND --set=)
  add_test(NAME ${name}.check COMMAND ${program} check $<TARGET_FILE:${plugin}> ${ARG_SET})
  if(ARG_SOURCES)
    add_executable(${name}_test ${ARG_SOURCES} $<TARGET_OBJECTS:${plugin}>)
    target_link_libraries(${name}_test PRIVATE avbench::sdk)
    add_test(NAME ${name}.test COMMAND ${name}_test)
  endif()
  if(ARG_GOLDEN)
    list(LENGTH ARG_GOLDEN count)
    if(NOT count EQUAL 2)
      message(FATAL_ERROR "avbench_add_method_test(${name}): got GOLDEN '${ARG_GOLDEN}', expected a "
                          "file of embeddings and the total of their loss.")
    endif()
    list(GET ARG_GOLDEN 0 file)
    list(GET ARG_GOLDEN 1 total)
    get_filename_component(file ${file} ABSOLUTE)
    add_test(NAME ${name}.golden COMMAND ${program} loss ${name} ${file} --expect ${total} ${ARG_SET})
    set_tests_properties(${name}.golden PROPERTIES
                         ENVIRONMENT "AVBENCH_PLUGIN_PATH=$<TARGET_FILE_DIR:${plugin}>")
  endif()
endfunction()
