#include "server/placements.h"

#include <algorithm>

#include "engine/errors.h"
#include "engine/nearest_name.h"

namespace bouquet::server {

bool Placements::any_mixes() const {
  return std::ranges::any_of(all_, [](const Placement& placement) { return !placement.mix.empty(); });
}

absl::StatusOr<size_t> Placements::find(std::string_view name) const {
  for (size_t i = 0; i < all_.size(); ++i)
    if (all_[i].name == name) return i;
  std::vector<std::string> names;
  for (const Placement& placement : all_) names.push_back(placement.name);
  const std::string message = "there is no placement '" + std::string(name.substr(0, kMaxPlacementBytes)) + "'";
  return missing_input(message + (names.empty() ? "; the configuration has none" : did_you_mean(name, names)));
}

absl::Status check_filter(const Placement& placement, const LiveCatalog& catalog) {
  const auto selection = catalog.select(kAllKinds, placement.filter);
  if (selection.ok()) return absl::OkStatus();
  return wrong_usage(placement.place + ": placements." + placement.name + ".filter: " + std::string(message_of(selection.status())));
}

}  // namespace bouquet::server
