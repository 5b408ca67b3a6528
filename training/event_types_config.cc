#include "training/event_types_config.h"

#include <array>
#include <string>

#include "engine/errors.h"
#include "engine/nearest_name.h"

namespace bouquet::training {
namespace {

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys = {"weight", "consumes", "returns", "transform", "half_life"};
  return keys;
}

absl::Status read_number(const toml::node& node, const std::string& at, double& number) {
  const auto value = node.value<double>();  // also takes integers
  if (!value || !node.is_number()) return wrong_usage(at + " must be a number");
  number = *value;
  return absl::OkStatus();
}

absl::Status read_flag(const toml::node& node, const std::string& at, bool& flag) {
  if (!node.is_boolean()) return wrong_usage(at + " must be true or false");
  flag = node.as_boolean()->get();
  return absl::OkStatus();
}

absl::Status read_transform(const toml::node& node, const std::string& at, ValueTransform& transform) {
  constexpr std::array<std::pair<std::string_view, ValueTransform>, 3> kNames = {
      {{"none", ValueTransform::kConstant}, {"identity", ValueTransform::kIdentity}, {"log1p", ValueTransform::kLog1p}}};
  const std::string text = node.value_or(std::string());
  for (const auto& [name, value] : kNames) {
    if (text != name) continue;
    transform = value;
    return absl::OkStatus();
  }
  return wrong_usage(at + " is '" + text + "'; it takes none, identity or log1p");
}

absl::Status read_key(const std::string& key, const toml::node& node, const std::string& at, EventType& type) {
  if (key == "consumes") return read_flag(node, at, type.consumes);
  if (key == "returns") return read_flag(node, at, type.returns);
  if (key == "transform") return read_transform(node, at, type.transform);
  if (key == "half_life") return read_number(node, at, type.half_life_days);
  if (key == "weight") {
    double weight = 0;
    auto status = read_number(node, at, weight);
    type.weight = static_cast<float>(weight);
    return status;
  }
  return wrong_usage(at + " is not known; the nearest is '" + nearest_name(key, known_keys()) + "'");
}

EventType& type_named(std::vector<EventType>& types, const std::string& name) {
  for (EventType& type : types)
    if (type.name == name) return type;
  return types.emplace_back(EventType{.name = name, .transform = ValueTransform::kConstant});
}

}  // namespace

absl::StatusOr<std::vector<EventType>> event_types_from(const toml::table& config) {
  std::vector<EventType> types = built_in_event_types();
  const toml::node* events = config.get("events");
  if (events == nullptr) return types;
  if (!events->is_table()) return wrong_usage("[events] must hold a table for each event type, such as [events.purchase]");
  for (const auto& [name_key, node] : *events->as_table()) {
    const std::string name(name_key.str());
    if (!node.is_table()) return wrong_usage("events." + name + " must be a table: [events." + name + "]");
    EventType& type = type_named(types, name);
    for (const auto& [key, value] : *node.as_table()) {
      const std::string word(key.str());
      if (auto status = read_key(word, value, "events." + name + "." + word, type); !status.ok()) return status;
    }
  }
  if (auto status = validate(EventRules{.types = types}); !status.ok()) return status;
  return types;
}

}  // namespace bouquet::training
