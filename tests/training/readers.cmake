# The real data that some tests read; they are skipped where it is absent. The environment variable of this name wins.
set(BOUQUET_DATA "${PROJECT_SOURCE_DIR}/../shared/data" CACHE PATH "Folder of the real data sets")

set(reader_sources attribute_config_test.cc attribute_files_test.cc attribute_fit_test.cc attribute_findings_test.cc reader_csv_test.cc reader_rules_test.cc source_rows_test.cc stored_attributes_test.cc reader_compressed_test.cc reader_jsonl_test.cc reader_items_test.cc
                   reader_property_test.cc interactions_builder_test.cc inspect_test.cc read_flags_test.cc)
set(reader_libraries bouquet_inspect_command bouquet_readers nlohmann_json::nlohmann_json rapidcheck rapidcheck_gtest ZLIB::ZLIB PkgConfig::ZSTD)
if(BOUQUET_PARQUET)
  list(APPEND reader_sources reader_parquet_test.cc reader_retail_test.cc)
  if(TARGET PyArrowCpp::parquet)
    list(APPEND reader_libraries PyArrowCpp::parquet)
  else()
    list(APPEND reader_libraries Parquet::parquet_shared Arrow::arrow_shared)
  endif()
endif()

bouquet_test(reader_tests LABEL unit SOURCES ${reader_sources} LIBRARIES ${reader_libraries})
target_compile_definitions(reader_tests PRIVATE BOUQUET_DATA="${BOUQUET_DATA}")

bouquet_test(parquet_absent_tests LABEL unit
  SOURCES parquet_absent_test.cc ${PROJECT_SOURCE_DIR}/training/parquet_reader_absent.cc
  LIBRARIES bouquet_engine)

# The whole of a build without Arrow; `./run test --long`.
add_test(NAME BuildWithoutParquet.ConfiguresCompilesAndReads
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/build_without_parquet_test.sh ${PROJECT_SOURCE_DIR} ${CMAKE_BINARY_DIR}/without_parquet ${Python3_EXECUTABLE})
set_tests_properties(BuildWithoutParquet.ConfiguresCompilesAndReads PROPERTIES LABELS long TIMEOUT 3600)

bouquet_test(attribute_memory_test LABEL long
  SOURCES attribute_memory_test.cc
  LIBRARIES bouquet_readers)
