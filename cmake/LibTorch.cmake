# LibTorch from a PyPI wheel or an official archive, as the imported target avbench::torch. Used by
# the build and, installed, by those who build plugins against avbench.
# The wheel's own find_package(Torch) insists on a CUDA toolkit, which a CPU program does not need.

set(AVBENCH_LIBTORCH_VERSION 2.11.0)

# avbench_find_libtorch(FAULT FOLDER...): takes -DLIBTORCH=DIR, else the environment's LIBTORCH at
# the first configuration, else the first FOLDER that exists. Sets LIBTORCH and defines avbench::torch
# in the caller's scope; FAULT says what is wrong, empty if nothing is.
function(avbench_find_libtorch fault)
  set(LIBTORCH "" CACHE PATH "Folder of LibTorch: the one with include/ and lib/; empty: searched for")
  if(NOT LIBTORCH AND NOT "$ENV{LIBTORCH}" STREQUAL "")
    set(LIBTORCH "$ENV{LIBTORCH}" CACHE PATH "" FORCE)
  endif()
  foreach(folder ${ARGN})
    if(NOT LIBTORCH AND EXISTS ${folder})
      set(LIBTORCH ${folder})
    endif()
  endforeach()
  if(NOT LIBTORCH)
    list(JOIN ARGN "', '" searched)
    set(${fault} "LibTorch not found in '${searched}'." PARENT_SCOPE)
    return()
  endif()
  get_filename_component(LIBTORCH ${LIBTORCH} ABSOLUTE BASE_DIR ${CMAKE_SOURCE_DIR})
  set(LIBTORCH ${LIBTORCH} PARENT_SCOPE)
  avbench_check_libtorch(${LIBTORCH} found_fault)
  set(${fault} "${found_fault}" PARENT_SCOPE)
  if(NOT found_fault AND NOT TARGET avbench::torch)
    avbench_import_libtorch(${LIBTORCH})
  endif()
endfunction()

function(avbench_check_libtorch folder fault)
  set(${fault} "" PARENT_SCOPE)
  foreach(file include/torch/headeronly/version.h lib/libtorch_cpu.so lib/libc10.so)
    if(NOT EXISTS ${folder}/${file})
      set(${fault} "'${folder}' is no LibTorch: there is no ${file}." PARENT_SCOPE)
      return()
    endif()
  endforeach()
  file(STRINGS ${folder}/include/torch/headeronly/version.h lines
       REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3"
         found "${lines}")
  if(NOT found VERSION_EQUAL AVBENCH_LIBTORCH_VERSION)
    set(${fault} "LibTorch in '${folder}': got version ${found}, expected ${AVBENCH_LIBTORCH_VERSION}."
        PARENT_SCOPE)
  endif()
endfunction()

function(avbench_import_libtorch folder)
  foreach(lib c10 torch_cpu)
    add_library(avbench_imported_${lib} SHARED IMPORTED GLOBAL)
    set_target_properties(avbench_imported_${lib} PROPERTIES
                          IMPORTED_LOCATION ${folder}/lib/lib${lib}.so)
  endforeach()
  add_library(avbench::torch INTERFACE IMPORTED GLOBAL)
  # Behind the system's folders: LibTorch carries copies of other libraries' headers (fmt among them)
  # that must not stand before the installed ones.
  target_compile_options(avbench::torch INTERFACE
                         "SHELL:-idirafter ${folder}/include"
                         "SHELL:-idirafter ${folder}/include/torch/csrc/api/include")
  target_compile_definitions(avbench::torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  target_link_libraries(avbench::torch INTERFACE avbench_imported_torch_cpu avbench_imported_c10)
  # libtorch_cpu of the wheel names two small CUDA libraries that lie in a sibling folder.
  if(EXISTS ${folder}/../nvidia/cu13/lib)
    target_link_options(avbench::torch INTERFACE -Wl,-rpath-link,${folder}/../nvidia/cu13/lib)
  endif()
endfunction()
