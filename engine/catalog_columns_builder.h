// Puts columns of values together into CatalogColumns: texts become codes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog_columns.h"

namespace bouquet {

// Every column has the same number of rows. Not thread-safe.
class CatalogColumnsBuilder {
 public:
  using Set = std::optional<std::vector<std::string>>;  // none: missing; in any order, repeats and empty texts do not count

  void add_numbers(std::string name, std::vector<double> values);          // NaN: missing
  void add_flags(std::string name, std::vector<uint8_t> values);           // kMissingFlag: missing
  void add_categories(std::string name, std::vector<std::string> values);  // empty: missing
  void add_sets(std::string name, std::vector<Set> values);

  // The builder is empty afterwards.
  CatalogColumns finish();

 private:
  std::vector<CatalogColumn> columns_;
  std::vector<double> numbers_;
  std::vector<uint8_t> flags_;
  std::vector<std::string> categories_;
  std::vector<Set> sets_;
};

}  // namespace bouquet
