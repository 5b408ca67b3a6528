# libFuzzer comes with clang alone, so the few sources under test are compiled by it, apart from everything else.
find_program(BOUQUET_FUZZ_CXX NAMES clang++ clang++-14)
if(NOT BOUQUET_FUZZ_CXX)
  message(STATUS "No clang: the readers are not fuzzed")
  return()
endif()

set(sources tests/fuzz/reader_fuzz.cc engine/event_rules.cc engine/pair_sums.cc engine/id_map.cc engine/nearest_name.cc)
foreach(name cell cell_values columns csv_reader event_rows jsonl_reader text_blocks time_parser)
  list(APPEND sources training/${name}.cc)
endforeach()
list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/)
file(GLOB headers ${PROJECT_SOURCE_DIR}/training/*.h ${PROJECT_SOURCE_DIR}/engine/*.h)

set(program ${CMAKE_CURRENT_BINARY_DIR}/reader_fuzz)
add_custom_command(OUTPUT ${program}
  COMMAND ${BOUQUET_FUZZ_CXX} -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I${PROJECT_SOURCE_DIR} ${sources}
          -o ${program} $<TARGET_FILE:simdjson::simdjson> -labsl_status -labsl_statusor -labsl_time -labsl_time_zone -labsl_strings -labsl_cord
  DEPENDS ${sources} ${headers} COMMENT "Building reader_fuzz with clang" VERBATIM)
add_custom_target(build_reader_fuzz ALL DEPENDS ${program})

add_test(NAME reader_fuzz COMMAND ${program} -max_total_time=8 -max_len=4096 -seed=1 -print_final_stats=1 -artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/
  ${CMAKE_CURRENT_BINARY_DIR}/reader_found ${CMAKE_CURRENT_SOURCE_DIR}/reader_corpus)
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/reader_found)
set_tests_properties(reader_fuzz PROPERTIES LABELS fuzz TIMEOUT 120)
