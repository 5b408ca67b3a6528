// Placements: named settings of answers, [placements.<name>] of the server's configuration, which a request asks for by name.
//
// What a request and its placement ask for together: k is the request's, if it has one, else the placement's. Kinds are those that both
// allow. Filters both hold. The mix counts among the kinds that are left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog.h"
#include "server/live_catalog.h"

namespace bouquet::server {

inline constexpr size_t kMaxPlacementBytes = 64;
inline constexpr size_t kMaxPlacements = 100;  // each is a label of metrics

struct KindShare {
  ItemKind kind = ItemKind::kProduct;
  double share = 0;  // more than 0; shares need not add up to 1
};

struct Placement {
  std::string name;
  KindSet kinds = kAllKinds;   // what may be offered
  std::string filter;          // what every row must pass besides the request's own; empty: nothing
  int32_t k = 0;               // rows where the request does not say; 0: the default of all requests
  std::vector<KindShare> mix;  // what share of an answer each kind has, in the order of the kinds; empty: the best, whatever they are
  std::string model;           // the models directory that answers for it; empty: the server's own
  std::string place;           // where it is written: "bouquet.toml:12"
};

// Immutable; thread-safe.
class Placements {
 public:
  Placements() = default;
  // Of different names.
  explicit Placements(std::vector<Placement> all) : all_(std::move(all)) {}

  const std::vector<Placement>& all() const { return all_; }
  bool any_mixes() const;

  // The position of the one called `name` in all(). Errors: NotFound, with the nearest name.
  absl::StatusOr<size_t> find(std::string_view name) const;
  // Whether there is one of that name; an empty one asks for none. Errors: likewise.
  absl::Status check(std::string_view name) const { return name.empty() ? absl::OkStatus() : find(name).status(); }

 private:
  std::vector<Placement> all_;
};

// Whether `placement`'s filter can be asked of `catalog`. Errors: InvalidArgument with the placement's place and the filter's column.
absl::Status check_filter(const Placement& placement, const LiveCatalog& catalog);

}  // namespace bouquet::server
