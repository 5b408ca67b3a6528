# Event and item files, and what is learned from them.
bouquet_library(bouquet_readers
  SOURCES cell.cc cell_values.cc columns.cc time_parser.cc byte_source.cc text_blocks.cc table_reader.cc csv_reader.cc
          jsonl_reader.cc event_rows.cc event_log_builder.cc source_rows.cc erased_customers.cc merged_customers.cc renumbered_customers.cc item_column_values.cc item_files.cc event_reader.cc interactions_builder.cc
          attribute_cells.cc attribute_collectors.cc attribute_columns.cc attribute_config.cc attribute_files.cc attribute_findings.cc
          attribute_fit.cc attribute_guess.cc attribute_row_reader.cc attribute_table_builder.cc dataset_attributes.cc entity_rows.cc number_sample.cc stored_attributes.cc
          event_types_config.cc file_profile.cc read_flags.cc read_report.cc
  PUBLIC bouquet_engine absl::status absl::statusor absl::time absl::flat_hash_map absl::flat_hash_set Threads::Threads CLI11::CLI11 tomlplusplus::tomlplusplus
  PRIVATE simdjson::simdjson ZLIB::ZLIB PkgConfig::ZSTD)
if(NOT BOUQUET_PARQUET)
  target_sources(bouquet_readers PRIVATE parquet_reader_absent.cc)
else()
  target_sources(bouquet_readers PRIVATE parquet_reader.cc arrow_cells.cc)
  if(TARGET PyArrowCpp::parquet)
    target_link_libraries(bouquet_readers PRIVATE PyArrowCpp::parquet)
  else()
    target_link_libraries(bouquet_readers PRIVATE Parquet::parquet_shared Arrow::arrow_shared)
  endif()
endif()
# The pyarrow wheel's libparquet exports a simdjson and an OpenSSL of other versions under the same names. What is found first is what every
# library of the program gets, so ours stand before it, whatever order the targets of a program are in.
find_package(OpenSSL QUIET)
set(before_parquet $<TARGET_FILE:simdjson::simdjson>)
if(OPENSSL_FOUND)
  list(APPEND before_parquet $<TARGET_FILE:OpenSSL::SSL> $<TARGET_FILE:OpenSSL::Crypto>)
endif()
list(JOIN before_parquet "," before_parquet)
target_link_options(bouquet_readers INTERFACE "LINKER:--no-as-needed,${before_parquet},--as-needed")

bouquet_library(bouquet_inspect_command COLD
  SOURCES inspect_command.cc
  PUBLIC bouquet_readers CLI11::CLI11
  PRIVATE nlohmann_json::nlohmann_json)

# g++ 12 sees overlaps in std::string that are none (GCC bug 105651).
foreach(library bouquet_readers bouquet_inspect_command)
  target_compile_options(${library} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
endforeach()
