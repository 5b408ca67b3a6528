#include "server/answers_config.h"

#include <vector>

#include "engine/errors.h"
#include "engine/nearest_name.h"
#include "server/config_file.h"

namespace bouquet::server {
namespace {

constexpr double kMaxDays = 3650;

absl::Status wrong(const std::string& file, const toml::node& node, const std::string& key, const std::string& what) {
  return wrong_usage(place_of(file, node) + ": answers." + key + " " + what);
}

}  // namespace

absl::StatusOr<AnswersConfig> parse_answers(std::string_view text, const std::string& name) {
  static const std::vector<std::string> keys = {"log", "retention_days"};
  const auto config = parse_config(text, name);
  if (!config.ok()) return config.status();
  AnswersConfig answers;
  const toml::node* all = config->get("answers");
  if (all == nullptr) return answers;
  if (!all->is_table()) return wrong_usage(place_of(name, *all) + ": [answers] must be a table");
  for (const auto& [word, node] : *all->as_table()) {
    const std::string key(word.str());
    if (key == "log") {
      if (!node.is_boolean()) return wrong(name, node, key, "must be true or false");
      answers.log = node.as_boolean()->get();
    } else if (key == "retention_days") {
      const double days = node.is_number() ? *node.value<double>() : 0;
      if (!(days > 0) || days > kMaxDays) return wrong(name, node, key, "must be a number above 0, at most 3650");
      answers.retention = days * absl::Hours(24);
    } else {
      return wrong(name, node, key, "is not known" + did_you_mean(key, keys));
    }
  }
  return answers;
}

}  // namespace bouquet::server
