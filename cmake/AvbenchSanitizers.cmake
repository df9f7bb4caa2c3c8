# Sanitizers, in every target alike (presets asan-ubsan, tsan, fuzz). LibTorch and FFmpeg are not
# instrumented: an error inside them shows only where it reaches our memory.
set(AVBENCH_SANITIZE "" CACHE STRING "Argument of -fsanitize=: 'address,undefined', 'thread' or none")

if(AVBENCH_SANITIZE)
  add_compile_options(-fsanitize=${AVBENCH_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer -O1 -g1)
  add_link_options(-fsanitize=${AVBENCH_SANITIZE})
  if(AVBENCH_SANITIZE MATCHES "undefined")
    # Not in the group: a number that does not fit its type is a bug here.
    add_compile_options(-fsanitize=float-cast-overflow)
  endif()
  if(AVBENCH_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # std::atomic_thread_fence, which LibTorch's headers use
  endif()
endif()
if(AVBENCH_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "AVBENCH_BUILD_FUZZERS: got ${CMAKE_CXX_COMPILER_ID}, expected Clang, which "
                        "has libFuzzer. Use scripts/fuzz.sh, or the preset 'fuzz'.")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
