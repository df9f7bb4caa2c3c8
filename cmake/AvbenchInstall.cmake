# What `cmake --install` gives: a tree that can be moved, and a CMake package to build plugins with.
include(CMakePackageConfigHelpers)

# The SDK and LibTorch are searched for beside the file, then LibTorch where the build found it.
set(AVBENCH_INSTALL_LIBTORCH lib/libtorch/torch)
function(avbench_set_install_rpath target to_prefix)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH
    "$ORIGIN/${to_prefix}/lib;$ORIGIN/${to_prefix}/${AVBENCH_INSTALL_LIBTORCH}/lib;${LIBTORCH}/lib")
endfunction()

avbench_set_install_rpath(avbench ..)
avbench_set_install_rpath(avbench_sdk ..)
install(TARGETS avbench RUNTIME DESTINATION bin)
install(TARGETS avbench_sdk EXPORT avbench LIBRARY DESTINATION lib)
foreach(method ${AVBENCH_METHODS})
  avbench_set_install_rpath(avbench_plugin_${method} ../../..)
  install(TARGETS avbench_plugin_${method} LIBRARY DESTINATION lib/avbench/plugins)
endforeach()

install(DIRECTORY framework/sdk/include/avbench DESTINATION include)
install(DIRECTORY configs datasets examples DESTINATION share/avbench)
install(DIRECTORY docs DESTINATION share/doc/avbench)
install(FILES README.md CHANGELOG.md LICENSE NOTICE CITATION.cff DESTINATION share/doc/avbench)

set(package lib/cmake/avbench)
configure_package_config_file(cmake/avbench-config.cmake.in avbench-config.cmake
                              INSTALL_DESTINATION ${package} NO_SET_AND_CHECK_MACRO
                              NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(avbench-config-version.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT avbench NAMESPACE avbench:: FILE avbench-targets.cmake DESTINATION ${package})
install(FILES ${PROJECT_BINARY_DIR}/avbench-config.cmake
              ${PROJECT_BINARY_DIR}/avbench-config-version.cmake
              cmake/AvbenchPlugin.cmake cmake/LibTorch.cmake DESTINATION ${package})

# LibTorch itself (500 MB), for a tree that is to run on another machine; only when asked for:
# cmake --install build/release --prefix DIR --component libtorch
install(DIRECTORY ${LIBTORCH}/include ${LIBTORCH}/lib DESTINATION ${AVBENCH_INSTALL_LIBTORCH}
        COMPONENT libtorch EXCLUDE_FROM_ALL)
if(EXISTS ${LIBTORCH}/../nvidia)
  file(GLOB licences ${LIBTORCH}/../*.dist-info)
  install(DIRECTORY ${LIBTORCH}/../nvidia ${licences} DESTINATION ${AVBENCH_INSTALL_LIBTORCH}/..
          COMPONENT libtorch EXCLUDE_FROM_ALL)
endif()
