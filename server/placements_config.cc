#include "server/placements_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "engine/errors.h"
#include "engine/filter_syntax.h"
#include "engine/nearest_name.h"
#include "server/config_file.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys = {"kinds", "filter", "k", "mix", "model"};
  return keys;
}

std::optional<ItemKind> kind_named(std::string_view name) {
  constexpr std::array<std::string_view, kItemKindCount> kNames{"product", "content", "action"};
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<ItemKind>(at - kNames.begin());
}

KindSet bit(ItemKind kind) { return static_cast<KindSet>(1 << static_cast<int>(kind)); }

class PlacementsReader {
 public:
  explicit PlacementsReader(const std::string& file) : file_(file) {}

  absl::StatusOr<Placements> read(const toml::table& config) {
    const toml::node* all = config.get("placements");
    if (all == nullptr) return Placements();
    if (!all->is_table()) return wrong_usage(at(*all) + "[placements] must hold a table for each placement, such as [placements.home]");
    std::vector<Placement> placements;
    for (const auto& [key, node] : *all->as_table()) {
      name_ = std::string(key.str());
      if (!node.is_table()) return wrong_usage(at(node) + "placements." + name_ + " must be a table: [placements." + name_ + "]");
      auto placement = read_one(*node.as_table());
      if (!placement.ok()) return placement.status();
      placements.push_back(*std::move(placement));
    }
    if (placements.size() > kMaxPlacements)
      return wrong_usage(at(*all) + "there are " + std::to_string(placements.size()) + " placements; at most " +
                         std::to_string(kMaxPlacements) + " are allowed");
    return Placements(std::move(placements));
  }

 private:
  std::string at(const toml::node& node) const { return place_of(file_, node) + ": "; }
  absl::Status wrong(const toml::node& node, const std::string& key, const std::string& what) const {
    return wrong_usage(at(node) + "placements." + name_ + "." + key + " " + what);
  }

  absl::StatusOr<Placement> read_one(const toml::table& table) {
    if (name_.empty() || name_.size() > kMaxPlacementBytes || !is_utf8(name_))
      return wrong_usage(at(table) + "the name of a placement has 1 to 64 bytes");
    Placement placement{.name = name_, .kinds = kAllKinds, .filter = {}, .k = 0, .mix = {}, .model = {}, .place = place_of(file_, table)};
    for (const auto& [key, node] : table)
      if (absl::Status s = read_key(std::string(key.str()), node, placement); !s.ok()) return s;
    if (placement.mix.empty()) return placement;
    KindSet mixed = 0;
    for (const KindShare& share : placement.mix) mixed |= bit(share.kind);
    if (table.get("kinds") != nullptr && mixed != placement.kinds)
      return wrong(*table.get("mix"), "mix", "must name the kinds of `kinds`, all of them and no others; or leave `kinds` out");
    placement.kinds = mixed;
    return placement;
  }

  absl::Status read_key(const std::string& key, const toml::node& node, Placement& placement) const {
    if (key == "kinds") return read_kinds(node, placement);
    if (key == "filter") return read_filter(node, placement);
    if (key == "k") return read_k(node, placement);
    if (key == "mix") return read_mix(node, placement);
    if (key == "model") return read_model(node, placement);
    return wrong(node, key, "is not known" + did_you_mean(key, known_keys()));
  }

  absl::Status read_kinds(const toml::node& node, Placement& placement) const {
    const toml::array* kinds = node.as_array();
    if (kinds == nullptr || kinds->empty()) return wrong(node, "kinds", "must be a list, such as [\"product\", \"content\"]");
    placement.kinds = 0;
    for (const toml::node& element : *kinds) {
      const auto kind = kind_named(element.value_or(std::string()));
      if (!kind) return wrong(element, "kinds", "takes \"product\", \"content\" and \"action\"");
      placement.kinds |= bit(*kind);
    }
    return absl::OkStatus();
  }

  absl::Status read_filter(const toml::node& node, Placement& placement) const {
    if (!node.is_string()) return wrong(node, "filter", "must be a text in quotes");
    placement.filter = node.as_string()->get();
    if (placement.filter.empty()) return absl::OkStatus();
    const auto parsed = parse_filter(placement.filter);
    return parsed.ok() ? absl::OkStatus() : wrong(node, "filter", "is no filter: " + std::string(message_of(parsed.status())));
  }

  absl::Status read_k(const toml::node& node, Placement& placement) const {
    const int64_t k = node.is_integer() ? node.as_integer()->get() : 0;
    if (k < 1 || k > kMaxRequestK) return wrong(node, "k", "must be a whole number from 1 to 1000");
    placement.k = static_cast<int32_t>(k);
    return absl::OkStatus();
  }

  absl::Status read_mix(const toml::node& node, Placement& placement) const {
    if (!node.is_table() || node.as_table()->empty()) return wrong(node, "mix", "must be a table, such as {product = 3, content = 1}");
    for (const auto& [key, value] : *node.as_table()) {
      const auto kind = kind_named(key.str());
      if (!kind) return wrong(value, "mix." + std::string(key.str()), "is no kind; there are product, content and action");
      const double share = value.is_number() ? *value.value<double>() : 0;
      if (!(share > 0) || !std::isfinite(share)) return wrong(value, "mix." + std::string(key.str()), "must be a number above 0");
      placement.mix.push_back({*kind, share});
    }
    std::ranges::sort(placement.mix, {}, &KindShare::kind);
    return absl::OkStatus();
  }

  absl::Status read_model(const toml::node& node, Placement& placement) const {
    placement.model = node.value_or(std::string());
    return placement.model.empty() ? wrong(node, "model", "must be the path of a models directory, in quotes") : absl::OkStatus();
  }

  const std::string file_;
  std::string name_;  // of the placement that is being read
};

}  // namespace

absl::StatusOr<Placements> parse_placements(std::string_view text, const std::string& name) {
  const auto config = parse_config(text, name);
  if (!config.ok()) return config.status();
  return PlacementsReader(name).read(*config);
}

}  // namespace bouquet::server
