# Compiler cache, fast linker, warnings, and the one set of flags that every target shares: a
# precompiled header can only be reused between targets that are compiled alike.

find_program(AVBENCH_CCACHE ccache)
if(AVBENCH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Sloppiness: without it ccache does not cache users of a precompiled header. Base folder: a clone
  # elsewhere hits what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${AVBENCH_CCACHE})
endif()

find_program(AVBENCH_MOLD mold)
if(AVBENCH_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12.1)
  add_link_options(-fuse-ld=mold)
endif()

set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
# -fPIC for programs too (instead of CMake's -fPIE), so that they can share the precompiled header.
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
# g++ 12 reports overlapping copies in std::string that cannot happen (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)
endif()
add_compile_options(-fPIC -Wall -Wextra -Wno-missing-field-initializers -fno-math-errno)
add_link_options(-Wl,-z,defs -Wl,--as-needed)
