# Read by ctest for a GoogleTest program `PROGRAM` named `NAME`: each suite is one test, NAME.SUITE, in a
# process of its own. Starting a program with LibTorch takes most of a second, a suite of ours little more.
if(NOT EXISTS "${PROGRAM}")
  add_test(${NAME}_NOT_BUILT ${NAME}_NOT_BUILT)
  return()
endif()
execute_process(COMMAND "${PROGRAM}" --gtest_list_tests OUTPUT_VARIABLE listed RESULT_VARIABLE failed
                TIMEOUT 60)
string(REGEX MATCHALL "\n[^ \n][^\n ]*\\." suites "\n${listed}")
if(failed OR NOT suites)
  message(FATAL_ERROR "${PROGRAM} --gtest_list_tests: exit ${failed}, printed\n${listed}")
endif()
foreach(suite IN LISTS suites)
  string(STRIP "${suite}" suite)
  add_test(${NAME}.${suite} "${PROGRAM}" "--gtest_filter=${suite}*")
  set_tests_properties(${NAME}.${suite} PROPERTIES TIMEOUT 600)
endforeach()
