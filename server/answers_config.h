// The [answers] table of the configuration file: whether what comes with requests is kept, and for how long.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bouquet::server {

struct AnswersConfig {
  bool log = false;
  absl::Duration retention = absl::Hours(24 * 30);
};

// Of the file's text; `name` names it in messages. The defaults, if it has no such table. Errors: InvalidArgument with the line.
absl::StatusOr<AnswersConfig> parse_answers(std::string_view text, const std::string& name);

}  // namespace bouquet::server
