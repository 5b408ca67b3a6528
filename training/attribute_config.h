// The [attributes.customer.<name>] and [attributes.item.<name>] tables of bouquet.toml.
#pragma once

#include <toml++/toml.h>

#include "absl/status/statusor.h"
#include "training/attribute_settings.h"

namespace bouquet::training {

//   [attributes.customer.income]
//   type = "number"         number, category, set, flag, text or vector; guessed where it is not given
//   transform = "log1p"     none or log1p (number)
//   [attributes.item.words]
//   type = "set"
//   weighted = true         elements are word:weight
//   min_count = 5           1 or more
//   max_values = 5000       1 to 199998
//   [attributes.item.title]
//   bits = 12               4 to 17 (text)
//   [attributes.item.colour]
//   ignore = true           is left out
// Errors: InvalidArgument, naming the key and the nearest known; a key that says nothing about the type that is given.
absl::StatusOr<AttributeSettings> attribute_settings_from(const toml::table& config);

}  // namespace bouquet::training
