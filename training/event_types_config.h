// The [events.<type>] tables of bouquet.toml.
#pragma once

#include <vector>

#include <toml++/toml.h>

#include "absl/status/statusor.h"
#include "engine/event_rules.h"

namespace bouquet::training {

// The built-in types with what the tables of `config` change, then the types they add, in the file's order of names:
//   [events.purchase]
//   weight = 1.0           more than 0
//   consumes = true        a customer who did this has the item
//   returns = false        gives back what was consumed
//   transform = "log1p"    none, identity or log1p
//   half_life = 90         days; 0: never fades
// A type that is new has weight 1, transform none, and does not consume. Errors: InvalidArgument, naming the key and the nearest known.
absl::StatusOr<std::vector<EventType>> event_types_from(const toml::table& config);

}  // namespace bouquet::training
