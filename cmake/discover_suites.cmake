# Read by ctest for a GoogleTest program PROGRAM named NAME. Each suite is one test, NAME.SUITE, in a
# process of its own: starting a program with LibTorch takes most of a second, most suites little more.
# Those with parameters take longer: each of their tests is one, NAME.SUITE.TEST.
if(NOT EXISTS "${PROGRAM}")
  add_test(${NAME}_NOT_BUILT ${NAME}_NOT_BUILT)
  return()
endif()
execute_process(COMMAND "${PROGRAM}" --gtest_list_tests OUTPUT_VARIABLE listed RESULT_VARIABLE failed
                TIMEOUT 60)
string(REGEX MATCHALL "[^\n]+" lines "${listed}")
set(filters "")
foreach(line IN LISTS lines)
  if(line MATCHES "^[^ ]+\\.")  # a suite; its tests are indented
    set(suite ${CMAKE_MATCH_0})
    if(NOT suite MATCHES "/")
      list(APPEND filters ${suite}*)
    endif()
  elseif(suite MATCHES "/" AND line MATCHES "^  ([^ ]+)")
    list(APPEND filters ${suite}${CMAKE_MATCH_1})
  endif()
endforeach()
if(failed OR NOT filters)
  message(FATAL_ERROR "${PROGRAM} --gtest_list_tests: exit ${failed}, printed\n${listed}")
endif()
foreach(filter IN LISTS filters)
  string(REGEX REPLACE "\\.\\*$" "" name "${NAME}.${filter}")
  add_test(${name} "${PROGRAM}" "--gtest_filter=${filter}")
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endforeach()
