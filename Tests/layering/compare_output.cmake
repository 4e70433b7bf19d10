# Runs COMMAND ARGUMENT, which must fail, and compares what it says with the file EXPECTED. Run as a script.

cmake_minimum_required(VERSION 3.20)

execute_process(COMMAND ${COMMAND} ${ARGUMENT} RESULT_VARIABLE result ERROR_VARIABLE actual OUTPUT_QUIET)
file(READ ${EXPECTED} expected)
if(result EQUAL 0)
  message(FATAL_ERROR "${COMMAND} found nothing wrong")
endif()
if(NOT actual STREQUAL expected)
  message(FATAL_ERROR "expected:\n${expected}\nactual:\n${actual}")
endif()
