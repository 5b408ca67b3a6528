#include "engine/catalog_columns_json.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/errors.h"
#include "engine/json_fields.h"

namespace bouquet {
namespace {

using Json = nlohmann::ordered_json;

CatalogColumn read_column(const JsonFields& f) {
  const std::string type = f.text("type");
  for (const AttributeType known : {AttributeType::kNumber, AttributeType::kCategory, AttributeType::kSet, AttributeType::kFlag})
    if (type == attribute_type_name(known)) return {f.text("name"), known};
  f.complain("type", "is '" + type + "'; it takes number, category, set or flag");
  return {};
}

}  // namespace

std::string catalog_columns_text(const std::vector<CatalogColumn>& columns) {
  Json all = Json::array();
  for (const CatalogColumn& column : columns) all.push_back({{"name", column.name}, {"type", attribute_type_name(column.type)}});
  const Json root{{"format", kCatalogColumnsFormat}, {"columns", std::move(all)}};
  return root.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::vector<CatalogColumn>> parse_catalog_columns(std::string_view text) {
  const Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) return bad_input("is not valid JSON");
  absl::Status status;
  const JsonFields f(root, "", status);
  const int64_t format = f.integer("format", 0, std::numeric_limits<int32_t>::max());
  if (status.ok() && format != kCatalogColumnsFormat)
    return bad_input("format " + std::to_string(format) + " of item columns is unknown; this program reads format " +
                     std::to_string(kCatalogColumnsFormat));
  std::vector<CatalogColumn> columns;
  const size_t count = f.array("columns").size();
  for (size_t c = 0; c < count && status.ok(); ++c) columns.push_back(read_column(f.element("columns", c)));
  if (!status.ok()) return status;
  return columns;
}

}  // namespace bouquet
