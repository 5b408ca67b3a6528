// A shop that never was, for tests, benchmarks and the demo without network: customers and items belong to planted taste clusters,
// items sell by Zipf's law, customers are active by a log-normal law, shop in baskets in a weekly rhythm, buy again what they like
// and give some of it back. A pure function of its settings, customer by customer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog.h"
#include "engine/interactions.h"
#include "engine/random_stream.h"
#include "training/alias_table.h"
#include "training/planted_side.h"

namespace bouquet::training {

struct ShopSettings {
  int32_t customers = 2000;
  int32_t items = 1000;
  int64_t events = 100000;  // rows in all, returns included: exactly so many
  uint64_t seed = 1;
  int32_t clusters = 12;
  int64_t least_events = 5;       // of a customer, as far as the events reach
  double activity_spread = 1.0;   // sigma of the log-normal law of the events above the least
  double popularity_slope = 1.0;  // s and q of Zipf's law as Mandelbrot has it: the item of rank r weighs 1 / (r + q)^s
  double popularity_offset = 10;
  double taste_share = 0.8;    // of the first purchases of an item: how many come from the customer's own clusters
  double repeat_share = 0.3;   // of the events: how many are of an item that the customer bought before
  double return_share = 0.02;  // of the events: how many are returns. Part of repeat_share
  double basket_rows = 5;      // rows of a basket on average
  double content_share = 0;    // of the items: kind CONTENT
  double action_share = 0;     // of the items: kind ACTION
  int32_t days = 730;          // up to the end of 2025
  PlantSettings plant = {};    // attributes that tastes follow from; none: tastes are drawn
};

// demo, shop, grocery (about the size and the repeats of a household panel), ml20m (18.1 M distinct pairs of 138,493 x 26,744).
// Errors: InvalidArgument, naming the presets.
absl::StatusOr<ShopSettings> shop_preset(std::string_view name);

struct ShopEvent {
  CustomerIndex customer = 0;
  ItemIndex item = 0;
  int64_t time = 0;    // seconds since 1970
  int32_t value = 1;   // pieces; negative: given back
  int32_t cents = 0;   // price of the row
  int64_t basket = 0;  // numbered through the shop
};

inline constexpr int kTastesPerCustomer = 3;

// Of which clusters a customer buys, and how often: the i-th with chance steps[i] - steps[i - 1].
struct Tastes {
  std::vector<int32_t> clusters;
  std::vector<double> steps;  // ascending, up to 1
};

class SyntheticShop {
 public:
  // Errors: InvalidArgument, naming the setting and its range.
  static absl::StatusOr<SyntheticShop> make(const ShopSettings& settings);

  const ShopSettings& settings() const { return settings_; }

  // The events of one customer after the other, each customer's in order of time. `visit` returns whether to go on.
  void for_each_customer(const std::function<bool(std::span<const ShopEvent>)>& visit) const;

  // The planted truth. With planted attributes an item is of several clusters: see appeal_of; cluster_of, tastes_of and companion_of are
  // for shops without.
  int32_t cluster_of(ItemIndex item) const { return rank_of_[static_cast<size_t>(item)] % settings_.clusters; }
  // The customer's clusters, the dearest first; a cluster may stand twice.
  std::vector<int32_t> tastes_of(CustomerIndex customer) const;
  // The item of the same cluster that is often bought right after this one.
  ItemIndex companion_of(ItemIndex item) const;
  // Planted attributes of either side; nullptr: there are none. Shares of the clusters are its tastes of a row, of an item its appeal.
  const PlantedSide* customer_plant() const { return customer_plant_ ? &*customer_plant_ : nullptr; }
  const PlantedSide* item_plant() const { return item_plant_ ? &*item_plant_ : nullptr; }
  // How likely it is that a purchase of a customer with these shares [clusters] is of `item`, with the appeal that is given (its own, or
  // what one expects of it) and this popularity (of_popularity, or 1 where nothing is known of it): the expected utility.
  double chance(std::span<const double> tastes, std::span<const double> appeal, double popularity) const;
  double popularity_of(ItemIndex item) const { return weight_of_rank_[static_cast<size_t>(rank_of_[static_cast<size_t>(item)])]; }
  int64_t events_of(CustomerIndex customer) const { return events_of_[static_cast<size_t>(customer)]; }

  std::string customer_id(CustomerIndex customer) const;  // C000001
  std::string item_id(ItemIndex item) const;              // P000001
  std::string title(ItemIndex item) const;
  std::string taste_name(int32_t cluster) const;
  std::string category(ItemIndex item) const;
  ItemKind kind(ItemIndex item) const;
  int32_t cents(ItemIndex item) const;  // 39 and more

 private:
  explicit SyntheticShop(const ShopSettings& settings);
  void share_out_events();
  void plant();
  void fill_tastes(CustomerIndex customer, Tastes& tastes) const;
  ItemIndex draw_item(RandomStream& random, const Tastes& tastes) const;

  ShopSettings settings_;
  std::vector<int32_t> rank_of_;        // [items] 0 sells best
  std::vector<ItemIndex> item_at_;      // [items] the item of a rank
  std::vector<int64_t> events_of_;      // [customers]
  std::vector<double> weight_of_rank_;  // [items] popularity
  std::vector<AliasTable> popularity_;  // one per cluster over its ranks (with planted attributes over all), then one over all
  std::optional<PlantedSide> customer_plant_, item_plant_;
  std::vector<double> cluster_weight_;  // [clusters] of all items together, with planted attributes
  friend class CustomerLife;
};

// The shop's purchases as a training sees them: distinct pairs weighed by the built-in rules of a purchase (event_rules.h).
SparseRows shop_rows(const SyntheticShop& shop);

}  // namespace bouquet::training
