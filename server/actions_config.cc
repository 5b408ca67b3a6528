#include "server/actions_config.h"

#include <cmath>
#include <vector>

#include "engine/errors.h"
#include "engine/nearest_name.h"
#include "server/config_file.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

constexpr double kMaxDays = 36500;
constexpr int64_t kMaxContacts = 1000000;

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys = {"value", "cool_down_days", "contact_limit", "contact_days"};
  return keys;
}

class ActionsReader {
 public:
  explicit ActionsReader(const std::string& file) : file_(file) {}

  absl::StatusOr<ActionRules> read(const toml::table& config) {
    ActionRules rules;
    const toml::node* all = config.get("actions");
    if (all == nullptr) return rules;
    if (!all->is_table()) return wrong_usage(place_of(file_, *all) + ": [actions] must be a table");
    // First what holds for those that are not named: the others start from it, but for the limit, which is over all of them.
    for (const auto& [key, node] : *all->as_table())
      if (!node.is_table())
        if (absl::Status s = read_key("actions", std::string(key.str()), node, rules.others, rules.all); !s.ok()) return s;
    if (absl::Status s = check_limit("actions", *all->as_table(), rules.all); !s.ok()) return s;
    for (const auto& [key, node] : *all->as_table()) {
      if (!node.is_table()) continue;
      const std::string id(key.str());
      const std::string where = "actions." + id;
      if (const char* problem = id_problem(id)) return wrong_usage(place_of(file_, node) + ": " + where + ": the item id " + problem);
      ActionRule rule = rules.others;
      for (const auto& [word, value] : *node.as_table())
        if (absl::Status s = read_key(where, std::string(word.str()), value, rule, rule.limit); !s.ok()) return s;
      if (absl::Status s = check_limit(where, *node.as_table(), rule.limit); !s.ok()) return s;
      rules.by_item[id] = rule;
    }
    return rules;
  }

 private:
  absl::Status wrong(const toml::node& node, const std::string& where, const std::string& key, const std::string& what) const {
    return wrong_usage(place_of(file_, node) + ": " + where + "." + key + " " + what);
  }

  absl::Status read_key(const std::string& where, const std::string& key, const toml::node& node, ActionRule& rule,
                        ContactLimit& limit) const {
    if (key == "value") return read_number(where, key, node, HUGE_VAL, rule.value);
    if (key == "cool_down_days") return read_number(where, key, node, kMaxDays, rule.cool_down_days);
    if (key == "contact_days") return read_number(where, key, node, kMaxDays, limit.days);
    if (key != "contact_limit") return wrong(node, where, key, "is not known" + did_you_mean(key, known_keys()));
    const int64_t contacts = node.is_integer() ? node.as_integer()->get() : 0;
    if (contacts < 1 || contacts > kMaxContacts) return wrong(node, where, key, "must be a whole number above 0");
    limit.contacts = static_cast<int32_t>(contacts);
    return absl::OkStatus();
  }

  absl::Status read_number(const std::string& where, const std::string& key, const toml::node& node, double most, double& number) const {
    const double value = node.is_number() ? *node.value<double>() : -1;
    if (!(value >= 0) || !std::isfinite(value)) return wrong(node, where, key, "must be a number of 0 or more");
    if (value > most) return wrong(node, where, key, "is more than a hundred years");
    number = value;
    return absl::OkStatus();
  }

  absl::Status check_limit(const std::string& where, const toml::table& table, const ContactLimit& limit) const {
    if ((limit.contacts > 0) == (limit.days > 0)) return absl::OkStatus();
    return wrong_usage(place_of(file_, table) + ": " + where +
                       ": contact_limit and contact_days belong together: so many contacts within so many days");
  }

  const std::string file_;
};

}  // namespace

absl::StatusOr<ActionRules> parse_actions(std::string_view text, const std::string& name) {
  const auto config = parse_config(text, name);
  if (!config.ok()) return config.status();
  return ActionsReader(name).read(*config);
}

}  // namespace bouquet::server
