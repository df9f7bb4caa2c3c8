# Everything the build takes from outside. Debian's packages are listed in scripts/packages.txt;
# LibTorch lies in .deps/ (scripts/bootstrap.sh) or where LIBTORCH says; these folders build without it.
set(_with_libtorch ${AVBENCH_COMPONENTS})
list(REMOVE_ITEM _with_libtorch io runtime config media synth report scripts)
if(_with_libtorch OR NOT AVBENCH_COMPONENTS)
  include(LibTorch)
  avbench_find_libtorch(_fault ${PROJECT_SOURCE_DIR}/.deps/libtorch/torch)
  if(_fault)
    message(FATAL_ERROR "${_fault}\n"
                        "Run scripts/bootstrap.sh, or give an unpacked LibTorch with -DLIBTORCH=DIR.")
  endif()
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(PNG 1.6 REQUIRED)
find_package(HWY 1.0 REQUIRED)

# LLVM's OpenMP. A program that is linked with it runs LibTorch's threads on it too, because it stands
# before the GNU one and has its functions. Its threads give way to others while they wait.
find_library(AVBENCH_LIBOMP NAMES omp5 omp iomp5 REQUIRED)
add_library(avbench_libomp SHARED IMPORTED GLOBAL)
set_target_properties(avbench_libomp PROPERTIES IMPORTED_LOCATION ${AVBENCH_LIBOMP})
add_library(avbench::openmp ALIAS avbench_libomp)

find_package(PkgConfig REQUIRED)
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET
                  libavformat>=59 libavcodec>=59 libavutil>=57 libswscale>=6 libswresample>=4)

if(AVBENCH_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
find_package(benchmark 1.7 REQUIRED)
