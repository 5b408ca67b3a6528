#include "training/attribute_config.h"

#include <string_view>
#include <vector>

#include "engine/attribute_rows.h"
#include "engine/attribute_schema.h"
#include "engine/errors.h"
#include "engine/nearest_name.h"

namespace bouquet::training {
namespace {

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys = {"type", "ignore", "transform", "weighted", "min_count", "max_values", "bits"};
  return keys;
}

absl::Status read_type(const toml::node& node, const std::string& at, std::optional<AttributeType>& type) {
  const std::string text = node.value_or(std::string());
  for (int t = 0; t < kAttributeTypeCount; ++t)
    if (attribute_type_name(static_cast<AttributeType>(t)) == text) type = static_cast<AttributeType>(t);
  if (type) return absl::OkStatus();
  return wrong_usage(at + " is '" + text + "'; it takes number, category, set, flag, text or vector");
}

absl::Status read_flag(const toml::node& node, const std::string& at, bool& flag) {
  if (!node.is_boolean()) return wrong_usage(at + " must be true or false");
  flag = node.as_boolean()->get();
  return absl::OkStatus();
}

template <typename Integer>
absl::Status read_integer(const toml::node& node, const std::string& at, int64_t low, int64_t high, Integer& out) {
  const int64_t value = node.is_integer() ? node.as_integer()->get() : low - 1;
  if (value < low || value > high)
    return wrong_usage(at + " must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  out = static_cast<Integer>(value);
  return absl::OkStatus();
}

absl::Status read_transform(const toml::node& node, const std::string& at, bool& log1p) {
  const std::string text = node.value_or(std::string());
  if (text != "none" && text != "log1p") return wrong_usage(at + " is '" + text + "'; it takes none or log1p");
  log1p = text == "log1p";
  return absl::OkStatus();
}

// The types that a key says something about; nullptr: all.
const char* types_of(const std::string& key) {
  if (key == "transform") return "number";
  if (key == "weighted") return "set";
  if (key == "min_count" || key == "max_values") return "category set";
  return key == "bits" ? "text" : nullptr;
}

absl::Status read_key(const std::string& key, const toml::node& node, const std::string& at, AttributeSetting& setting) {
  if (key == "type") return read_type(node, at, setting.type);
  if (key == "ignore") return read_flag(node, at, setting.ignore);
  if (key == "transform") return read_transform(node, at, setting.log1p);
  if (key == "weighted") return read_flag(node, at, setting.weighted);
  if (key == "min_count") return read_integer(node, at, 1, INT64_MAX, setting.min_count);
  if (key == "max_values") return read_integer(node, at, 1, kMaxAttributeColumns - 2, setting.max_values);
  if (key == "bits") return read_integer(node, at, kMinTextBits, kMaxTextBits, setting.bits);
  return wrong_usage(at + " is not known; the nearest is '" + nearest_name(key, known_keys()) + "'");
}

absl::Status read_attribute(const toml::table& table, const std::string& at, AttributeSetting& setting) {
  for (const auto& [key, node] : table) {
    const std::string word(key.str());
    if (absl::Status s = read_key(word, node, at + "." + word, setting); !s.ok()) return s;
  }
  for (const auto& [key, node] : table) {
    const char* types = types_of(std::string(key.str()));
    if (types == nullptr || setting.ignore) continue;
    if (!setting.type) return wrong_usage(at + "." + std::string(key.str()) + " needs a type beside it: " + types);
    if (std::string_view(types).find(attribute_type_name(*setting.type)) == std::string_view::npos)
      return wrong_usage(at + "." + std::string(key.str()) + " says nothing about type " + std::string(attribute_type_name(*setting.type)) +
                         ", only about: " + types);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AttributeSettings> attribute_settings_from(const toml::table& config) {
  AttributeSettings settings;
  const toml::node* attributes = config.get("attributes");
  if (attributes == nullptr) return settings;
  if (!attributes->is_table()) return wrong_usage("[attributes] must hold tables, such as [attributes.customer.age]");
  for (const auto& [side_key, side] : *attributes->as_table()) {
    const std::string name(side_key.str());
    if ((name != "customer" && name != "item") || !side.is_table())
      return wrong_usage("attributes." + name + " is not known; tables are [attributes.customer.<name>] and [attributes.item.<name>]");
    auto& all = name == "customer" ? settings.customer : settings.item;
    for (const auto& [key, node] : *side.as_table()) {
      const std::string at = "attributes." + name + "." + std::string(key.str());
      if (!node.is_table()) return wrong_usage(at + " must be a table: [" + at + "]");
      if (absl::Status s = read_attribute(*node.as_table(), at, all[std::string(key.str())]); !s.ok()) return s;
    }
  }
  return settings;
}

}  // namespace bouquet::training
