# avbench_add_component(NAME [TORCH] SOURCES ... [PUBLIC ...] [PRIVATE ...])
#   One folder of framework/ as a static library with the alias avbench::NAME. Headers are included
#   as "NAME/header.h".
# avbench_add_test(NAME [TORCH] SOURCES ... LINK ... [FIRST SUITE])
#   A GoogleTest program whose tests are found by ctest, each of which runs in a process of its own.
#   With LibTorch, whose start takes time, each suite does, and under a sanitizer the whole program.
#   Those of SUITE run before the others and make what these share (a fixture of ctest); of such a
#   program each test has its process.

# One precompiled header for everything that uses LibTorch: what nearly all of these files include.
# More in it costs more than it saves, because each compilation reads all of it (0.5 GB).
function(avbench_use_torch target)
  target_link_libraries(${target} PRIVATE avbench::torch)
  if(NOT TARGET avbench_torch_pch)
    file(WRITE ${PROJECT_BINARY_DIR}/avbench_torch_pch.cpp "// Only carries the precompiled header.\n")
    add_library(avbench_torch_pch STATIC ${PROJECT_BINARY_DIR}/avbench_torch_pch.cpp)
    target_link_libraries(avbench_torch_pch PRIVATE avbench::torch)
    target_precompile_headers(avbench_torch_pch PRIVATE <torch/nn/module.h> <ATen/ATen.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM avbench_torch_pch)
  set_target_properties(${target} PROPERTIES DEFINE_SYMBOL "")
endfunction()

# The others have one only where AVBENCH_PRECOMPILE asks for it (preset fast): in a full build each file
# has to include what it needs. CARRIER is made from HEADERS... and LIBRARIES for the first TARGET.
function(avbench_precompile target carrier libraries)
  if(NOT AVBENCH_PRECOMPILE)
    return()
  endif()
  if(NOT TARGET ${carrier})
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${carrier}.cpp
         CONTENT "// Only carries the precompiled header.\n")
    add_library(${carrier} STATIC ${PROJECT_BINARY_DIR}/${carrier}.cpp)
    target_link_libraries(${carrier} PRIVATE ${libraries})
    target_precompile_headers(${carrier} PRIVATE ${ARGN})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${carrier})
endfunction()

function(avbench_add_component name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(avbench_${name} STATIC ${ARG_SOURCES})
  add_library(avbench::${name} ALIAS avbench_${name})
  target_include_directories(avbench_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/framework>)
  target_link_libraries(avbench_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  if(ARG_TORCH)
    avbench_use_torch(avbench_${name})
  else()
    avbench_precompile(avbench_${name} avbench_pch nlohmann_json::nlohmann_json
                       <algorithm> <filesystem> <fstream> <map> <string> <vector> <nlohmann/json.hpp>)
  endif()
endfunction()

function(avbench_add_test name)
  cmake_parse_arguments(ARG "TORCH" "FIRST" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  # What is tested is optimised; the tests themselves compile in two thirds of the time.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  if(ARG_TORCH)
    avbench_use_torch(${name})
  else()
    avbench_precompile(${name} avbench_test_pch "GTest::gmock;nlohmann_json::nlohmann_json"
                       <filesystem> <fstream> <regex> <nlohmann/json.hpp> <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  if(ARG_TORCH AND AVBENCH_SANITIZE)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 1800)
    return()
  endif()
  if(ARG_TORCH AND NOT ARG_FIRST)
    set(suites ${CMAKE_CURRENT_BINARY_DIR}/${name}_suites.cmake)
    file(GENERATE OUTPUT ${suites} CONTENT "set(NAME ${name})
set(PROGRAM [[$<TARGET_FILE:${name}>]])
include([[${PROJECT_SOURCE_DIR}/cmake/discover_suites.cmake]])\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${suites})
    return()
  endif()
  set(discover TEST_PREFIX "" DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
  if(ARG_FIRST)
    gtest_discover_tests(${name} ${discover} TEST_FILTER "${ARG_FIRST}.*"
                         PROPERTIES TIMEOUT 300 FIXTURES_SETUP ${name})
    gtest_discover_tests(${name} ${discover} TEST_FILTER "-${ARG_FIRST}.*"
                         PROPERTIES TIMEOUT 300 FIXTURES_REQUIRED ${name})
  else()
    gtest_discover_tests(${name} ${discover} PROPERTIES TIMEOUT 300)
  endif()
endfunction()
