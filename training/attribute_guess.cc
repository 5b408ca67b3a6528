#include "training/attribute_guess.h"

#include <map>

namespace bouquet::training {
namespace {

bool is_like_an_id(const ColumnProfile& column) {
  const std::string type = column.type();
  const bool is_candidate = type == "text" || type == "category" || type == "whole number";
  return is_candidate && column.longest <= 64 && column.values >= 100 && column.spaces == 0 &&
         static_cast<double>(column.distinct.count()) >= 0.95 * static_cast<double>(column.values);
}

}  // namespace

std::optional<AttributeType> guessed_type(const ColumnProfile& column) {
  if (column.values >= 100 && column.numbers * 100 >= column.values * 99) return AttributeType::kNumber;
  const std::string type = column.type();
  if (type == "number" || type == "whole number") return AttributeType::kNumber;
  if (type == "flag") return AttributeType::kFlag;
  if (type == "vector") return AttributeType::kVector;
  if (type == "set of categories") return AttributeType::kSet;
  if (type == "category") return AttributeType::kCategory;
  if (type == "text") return AttributeType::kText;
  return std::nullopt;
}

std::vector<std::string> column_findings(std::span<const ColumnProfile> columns) {
  std::vector<std::string> found;
  std::map<uint64_t, std::string> first;  // by digest
  for (const ColumnProfile& column : columns) {
    const std::string at = "column " + column.name + ": ";
    if (column.values == 0 && column.nulls > 0) found.push_back(at + "is missing in every row");
    if (column.values == 0) continue;
    if (column.values > 1 && column.nulls == 0 && column.distinct.count() == 1) found.push_back(at + "has the same value in every row");
    if (is_like_an_id(column)) found.push_back(at + "has nearly as many values as rows, like an id");
    const auto [equal, is_new] = first.try_emplace(column.digest, column.name);
    if (!is_new) found.push_back(at + "is equal to " + equal->second + " in every row");
  }
  return found;
}

}  // namespace bouquet::training
