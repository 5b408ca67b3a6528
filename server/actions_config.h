// Reads [actions] and [actions.<item id>] of the configuration file:
//
//   [actions]
//   value = 1              # of actions that are not named
//   cool_down_days = 7     # likewise
//   contact_limit = 3      # at most three contacts by any action
//   contact_days = 30      # within thirty days
//   [actions.coupon-10]
//   value = 4.5
//   cool_down_days = 14
//   contact_limit = 2      # by this one
//   contact_days = 365
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/action_rules.h"

namespace bouquet::server {

// The rules of `text`, called `name` in messages; those of nobody where it has none. Errors: InvalidArgument naming file, line and key.
absl::StatusOr<ActionRules> parse_actions(std::string_view text, const std::string& name);

}  // namespace bouquet::server
