# LibTorch from a PyPI wheel or an official archive, as the imported target avbench::torch.
# The wheel's own find_package(Torch) insists on a CUDA toolkit, which a CPU program does not need.

set(AVBENCH_LIBTORCH_VERSION 2.11.0)
# -DLIBTORCH=DIR, else the environment's LIBTORCH at the first configuration, else .deps/.
set(LIBTORCH "" CACHE PATH "Folder of LibTorch: the one with include/ and lib/; empty: .deps/")
if(NOT LIBTORCH AND NOT "$ENV{LIBTORCH}" STREQUAL "")
  set(LIBTORCH "$ENV{LIBTORCH}" CACHE PATH "" FORCE)
endif()
if(NOT LIBTORCH)
  set(LIBTORCH ${PROJECT_SOURCE_DIR}/.deps/libtorch/torch)
endif()
get_filename_component(LIBTORCH ${LIBTORCH} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})

set(_version_file ${LIBTORCH}/include/torch/headeronly/version.h)
if(NOT EXISTS ${_version_file} OR NOT EXISTS ${LIBTORCH}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "LibTorch not found in '${LIBTORCH}' (no include/torch/headeronly/version.h or "
                      "no lib/libtorch_cpu.so).\n"
                      "Run scripts/bootstrap.sh, or give an unpacked LibTorch with -DLIBTORCH=DIR.")
endif()
file(STRINGS ${_version_file} _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" _found "${_lines}")
if(NOT _found VERSION_EQUAL AVBENCH_LIBTORCH_VERSION)
  message(FATAL_ERROR "LibTorch in '${LIBTORCH}': got version ${_found}, expected ${AVBENCH_LIBTORCH_VERSION}.")
endif()

foreach(_lib c10 torch_cpu)
  add_library(avbench_imported_${_lib} SHARED IMPORTED GLOBAL)
  set_target_properties(avbench_imported_${_lib} PROPERTIES IMPORTED_LOCATION ${LIBTORCH}/lib/lib${_lib}.so)
endforeach()

add_library(avbench_torch INTERFACE)
add_library(avbench::torch ALIAS avbench_torch)
# Behind the system's folders: LibTorch carries copies of other libraries' headers (fmt among them)
# that must not stand before the installed ones.
target_compile_options(avbench_torch INTERFACE
                       "SHELL:-idirafter ${LIBTORCH}/include"
                       "SHELL:-idirafter ${LIBTORCH}/include/torch/csrc/api/include")
target_compile_definitions(avbench_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
target_link_libraries(avbench_torch INTERFACE avbench_imported_torch_cpu avbench_imported_c10)
# libtorch_cpu of the wheel names two small CUDA libraries that lie in a sibling folder.
if(EXISTS ${LIBTORCH}/../nvidia/cu13/lib)
  target_link_options(avbench_torch INTERFACE -Wl,-rpath-link,${LIBTORCH}/../nvidia/cu13/lib)
endif()
