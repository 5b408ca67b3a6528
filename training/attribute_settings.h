// What is said about attributes before their files are read (training/attribute_config.h reads it from bouquet.toml).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "engine/attribute_value.h"

namespace bouquet::training {

// What is said about one attribute; the rest is guessed from its file.
struct AttributeSetting {
  std::optional<AttributeType> type = {};
  bool ignore = false;
  bool log1p = false;         // number
  bool weighted = false;      // set: its elements are word:weight
  int64_t min_count = 5;      // category, set: how many rows must have a value before it gets a column
  int64_t max_values = 5000;  // category, set: the most columns of values; the most frequent ones get them
  int bits = 12;              // text: 2^bits columns
};

// Empty where nothing is said.
struct AttributeSettings {
  std::map<std::string, AttributeSetting> customer, item;  // by name

  bool empty() const { return customer.empty() && item.empty(); }
};

}  // namespace bouquet::training
