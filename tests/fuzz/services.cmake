# libFuzzer's engine alone comes from clang: the server is the one that is built anyway.
if(NOT BOUQUET_FUZZ_CXX)
  message(STATUS "No clang: the services are not fuzzed by libFuzzer")
  return()
endif()
execute_process(COMMAND ${BOUQUET_FUZZ_CXX} -print-libgcc-file-name --rtlib=compiler-rt OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REPLACE "builtins" "fuzzer" engine "${runtime}")
if(NOT EXISTS "${engine}")
  message(STATUS "No ${engine}: the services are not fuzzed by libFuzzer")
  return()
endif()

add_executable(service_fuzz service_fuzz.cc message_mutator.cc ${PROJECT_SOURCE_DIR}/tests/server/test_server.cc)
target_link_libraries(service_fuzz PRIVATE bouquet_server bouquet_cpu tiny_shop GTest::gtest absl::strings ${engine})

add_test(NAME long.service_fuzz COMMAND service_fuzz -max_total_time=300 -max_len=16384 -seed=1 -print_final_stats=1 -detect_leaks=0
  -artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/ ${CMAKE_CURRENT_BINARY_DIR}/service_found ${CMAKE_CURRENT_SOURCE_DIR}/service_corpus)
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/service_found)
set_tests_properties(long.service_fuzz PROPERTIES LABELS long TIMEOUT 600)
