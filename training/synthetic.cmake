# The synthetic shop stands apart from the rest of training: benchmarks and tests take it alone.
bouquet_library(bouquet_synthetic
  SOURCES
    alias_table.cc
    customer_life.cc
    planted_side.cc
    shop_files.cc
    synthetic_shop.cc
    text_file_writer.cc
  PUBLIC bouquet_engine)

bouquet_library(bouquet_generate_command COLD
  SOURCES generate_command.cc
  PUBLIC CLI11::CLI11
  PRIVATE bouquet_synthetic bouquet_training nlohmann_json::nlohmann_json)
