#include "training/synthetic_shop.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "engine/errors.h"
#include "engine/event_rules.h"
#include "training/customer_life.h"

namespace bouquet::training {
namespace {

// Streams of the seed, so that no two uses share numbers.
enum Stream : uint64_t { kRanks = 1, kActivity = 2, kTastes = 3, kItems = 4, kCustomerPlant = 5, kItemPlant = 6 };
uint64_t sub_seed(uint64_t seed, Stream stream) { return random_bits(seed, stream); }

constexpr std::array<double, kTastesPerCustomer> kTasteSteps = {0.6, 0.9, 1.0};  // 60 %, 30 %, 10 %

constexpr std::array<std::string_view, 24> kGoods = {"tea",    "bread",   "cheese",  "coffee", "fruit",   "pasta",  "fish",    "soup",
                                                     "honey",  "nuts",    "juice",   "spices", "flowers", "soap",   "candles", "paper",
                                                     "garden", "kitchen", "bedding", "toys",   "shoes",   "lights", "tools",   "books"};
constexpr std::array<std::string_view, 16> kWords = {"Amber", "Bright",  "Calm",  "Crisp",  "Early",  "Fine",    "Fresh", "Golden",
                                                     "Green", "Harvest", "Light", "Meadow", "Mellow", "Morning", "Quiet", "River"};

std::string numbered(char letter, int64_t number, int64_t count) {
  const std::string digits = std::to_string(number + 1);
  const size_t width = std::max<size_t>(6, std::to_string(count).size());
  return letter + std::string(width - std::min(width, digits.size()), '0') + digits;
}

absl::Status out_of_range(std::string_view flag, double value, std::string_view range) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return wrong_usage("--" + std::string(flag) + " is " + text + "; it must be " + std::string(range));
}

absl::Status check(const ShopSettings& s) {
  constexpr int32_t kMostRows = 100'000'000;
  const auto is_share = [](double x) { return x >= 0 && x <= 1; };
  if (s.customers < 1 || s.customers > kMostRows) return out_of_range("customers", s.customers, "from 1 to 100000000");
  if (s.items < 2 || s.items > kMostRows) return out_of_range("items", s.items, "from 2 to 100000000");
  if (s.events < s.customers || s.events > 100'000'000'000)
    return out_of_range("events", static_cast<double>(s.events), "at least one per customer and at most 100000000000");
  if (s.clusters < 1 || s.clusters > s.items) return out_of_range("clusters", s.clusters, "from 1 to the number of items");
  if (s.days < 7) return out_of_range("days", s.days, "at least 7");
  if (s.least_events < 1) return out_of_range("least events", static_cast<double>(s.least_events), "at least 1");
  if (!(s.basket_rows >= 1)) return out_of_range("basket rows", s.basket_rows, "at least 1");
  if (!(s.activity_spread >= 0 && s.activity_spread <= 5)) return out_of_range("activity spread", s.activity_spread, "from 0 to 5");
  if (!(s.popularity_slope >= 0 && s.popularity_slope <= 5)) return out_of_range("popularity slope", s.popularity_slope, "from 0 to 5");
  if (!(s.popularity_offset > 0)) return out_of_range("popularity offset", s.popularity_offset, "more than 0");
  if (!is_share(s.taste_share)) return out_of_range("taste share", s.taste_share, "from 0 to 1");
  if (!is_share(s.repeat_share)) return out_of_range("repeat share", s.repeat_share, "from 0 to 1");
  if (!is_share(s.return_share) || s.return_share > s.repeat_share)
    return out_of_range("return share", s.return_share, "from 0 to the repeat share");
  const PlantSettings& p = s.plant;
  if (p.attributes < 0 || p.attributes > 5000) return out_of_range("attributes", p.attributes, "from 0 to 5000");
  if (p.informative < 0) return out_of_range("informative-attributes", p.informative, "at least 0");
  if (!is_share(p.taste_noise)) return out_of_range("taste-noise", p.taste_noise, "from 0 to 1");
  if (!is_share(p.missing_share)) return out_of_range("missing", p.missing_share, "from 0 to 1");
  if (!is_share(s.content_share) || !is_share(s.action_share) || s.content_share + s.action_share > 1)
    return out_of_range("content share", s.content_share, "from 0 to 1, together with the actions");
  return absl::OkStatus();
}

std::vector<int32_t> shuffled(int32_t count, RandomStream random) {
  std::vector<int32_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = count - 1; i > 0; --i) std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(random.below(i + 1))]);
  return order;
}

}  // namespace

absl::StatusOr<ShopSettings> shop_preset(std::string_view name) {
  ShopSettings s;
  if (name == "demo") return s;
  if (name == "shop") {
    s.customers = 20000, s.items = 10000, s.events = 2'000'000, s.clusters = 40;
    s.content_share = 0.02, s.action_share = 0.005;
    return s;
  }
  if (name == "grocery") {
    s.customers = 2500, s.items = 20000, s.events = 1'400'000, s.clusters = 60;
    s.activity_spread = 0.9, s.repeat_share = 0.45, s.return_share = 0.005, s.basket_rows = 10, s.days = 365;
    return s;
  }
  if (name == "ml20m") {
    s.customers = 138'493, s.items = 26'744, s.events = 20'000'263, s.clusters = 100;
    s.least_events = 22, s.activity_spread = 1.35, s.popularity_slope = 2, s.popularity_offset = 300, s.repeat_share = 0.095,
    s.return_share = 0;
    return s;
  }
  return wrong_usage("--preset '" + std::string(name) + "' is unknown; it takes demo, shop, grocery or ml20m");
}

absl::StatusOr<SyntheticShop> SyntheticShop::make(const ShopSettings& settings) {
  if (absl::Status s = check(settings); !s.ok()) return s;
  return SyntheticShop(settings);
}

SyntheticShop::SyntheticShop(const ShopSettings& settings) : settings_(settings) {
  item_at_ = shuffled(settings.items, RandomStream(sub_seed(settings.seed, kRanks), 0));
  rank_of_.resize(item_at_.size());
  for (size_t rank = 0; rank < item_at_.size(); ++rank) rank_of_[static_cast<size_t>(item_at_[rank])] = static_cast<int32_t>(rank);
  std::vector<double> all(item_at_.size());
  for (size_t rank = 0; rank < all.size(); ++rank)
    all[rank] = std::pow(static_cast<double>(rank) + settings.popularity_offset, -settings.popularity_slope);
  weight_of_rank_ = all;
  const auto clusters = static_cast<size_t>(settings.clusters);
  if (settings.plant.attributes > 0) plant();
  for (size_t cluster = 0; cluster < clusters && !item_plant_; ++cluster) {
    std::vector<double> own;
    for (size_t rank = cluster; rank < all.size(); rank += clusters) own.push_back(all[rank]);
    popularity_.emplace_back(own);
  }
  popularity_.emplace_back(all);
  share_out_events();
}

// Tastes and appeals from attributes: a purchase is of an item with a chance in proportion to its popularity times its share of the
// cluster.
void SyntheticShop::plant() {
  customer_plant_.emplace(settings_.plant, settings_.clusters, sub_seed(settings_.seed, kCustomerPlant));
  item_plant_.emplace(settings_.plant, settings_.clusters, sub_seed(settings_.seed, kItemPlant));
  const auto clusters = static_cast<size_t>(settings_.clusters);
  std::vector<std::vector<double>> weights(clusters, std::vector<double>(item_at_.size()));
  cluster_weight_.assign(clusters, 0);
  for (size_t rank = 0; rank < item_at_.size(); ++rank) {
    const std::vector<double> appeal = item_plant_->tastes(item_at_[rank]);
    for (size_t k = 0; k < clusters; ++k) cluster_weight_[k] += weights[k][rank] = weight_of_rank_[rank] * appeal[k];
  }
  for (size_t k = 0; k < clusters; ++k) {
    if (cluster_weight_[k] == 0) weights[k] = weight_of_rank_;  // nothing is of this cluster: whoever likes it buys what is popular
    popularity_.emplace_back(weights[k]);
  }
}

double SyntheticShop::chance(std::span<const double> tastes, std::span<const double> appeal, double popularity) const {
  double of_taste = 0, all = 0;
  for (size_t k = 0; k < tastes.size(); ++k)
    if (cluster_weight_[k] > 0) of_taste += tastes[k] * appeal[k] / cluster_weight_[k];
  for (const double weight : cluster_weight_) all += weight;
  return popularity * (settings_.taste_share * of_taste + (1 - settings_.taste_share) / all);
}

// Log-normal shares of the events above the least, scaled to sum up exactly, none so large that it needs most of the items.
void SyntheticShop::share_out_events() {
  const auto customers = static_cast<size_t>(settings_.customers);
  const int64_t least = std::min(settings_.least_events, settings_.events / settings_.customers);
  const double rest = static_cast<double>(settings_.events - least * settings_.customers);
  std::vector<double> weight(customers);
  for (size_t c = 0; c < customers; ++c)
    weight[c] = std::exp(settings_.activity_spread * RandomStream(sub_seed(settings_.seed, kActivity), c).normal());
  const double most = std::max(0.4 * settings_.items / std::max(0.01, 1 - settings_.repeat_share), 2 * rest / settings_.customers);
  const auto total = [&](double scale) {
    double sum = 0;
    for (const double w : weight) sum += std::min(most, scale * w);
    return sum;
  };
  double low = 0, high = 1;
  while (total(high) < rest) high *= 2;
  for (int i = 0; i < 60; ++i) (total((low + high) / 2) < rest ? low : high) = (low + high) / 2;
  events_of_.resize(customers);
  double sum = 0;
  int64_t given = 0;
  for (size_t c = 0; c < customers; ++c) {
    sum += std::min(most, high * weight[c]);
    const auto upto = c + 1 == customers ? static_cast<int64_t>(rest) : std::min(static_cast<int64_t>(sum), static_cast<int64_t>(rest));
    events_of_[c] = least + upto - given;
    given = upto;
  }
}

std::vector<int32_t> SyntheticShop::tastes_of(CustomerIndex customer) const {
  RandomStream random(sub_seed(settings_.seed, kTastes), static_cast<uint64_t>(customer));
  std::vector<int32_t> tastes(kTastesPerCustomer);
  for (int32_t& taste : tastes) taste = static_cast<int32_t>(random.below(settings_.clusters));
  return tastes;
}

void SyntheticShop::fill_tastes(CustomerIndex customer, Tastes& tastes) const {
  if (!customer_plant_) {
    tastes.clusters = tastes_of(customer);
    tastes.steps.assign(kTasteSteps.begin(), kTasteSteps.end());
    return;
  }
  tastes.clusters.resize(static_cast<size_t>(settings_.clusters));
  std::iota(tastes.clusters.begin(), tastes.clusters.end(), 0);
  tastes.steps = customer_plant_->tastes(customer);
  std::partial_sum(tastes.steps.begin(), tastes.steps.end(), tastes.steps.begin());
}

ItemIndex SyntheticShop::companion_of(ItemIndex item) const {
  if (item_plant_) return kNone;
  const int32_t rank = rank_of_[static_cast<size_t>(item)];
  const bool first_of_two = rank / settings_.clusters % 2 == 0;
  const int32_t companion = first_of_two ? rank + settings_.clusters : rank - settings_.clusters;
  return companion < settings_.items ? item_at_[static_cast<size_t>(companion)] : kNone;
}

ItemIndex SyntheticShop::draw_item(RandomStream& random, const Tastes& tastes) const {
  if (!random.chance(settings_.taste_share)) return item_at_[static_cast<size_t>(popularity_.back().draw(random.bits()))];
  const double u = random.unit();
  size_t choice = 0;
  while (choice + 1 < tastes.steps.size() && u >= tastes.steps[choice]) ++choice;
  const auto cluster = static_cast<size_t>(tastes.clusters[choice]);
  const auto place = static_cast<size_t>(popularity_[cluster].draw(random.bits()));
  if (item_plant_) return item_at_[place];
  return item_at_[cluster + place * static_cast<size_t>(settings_.clusters)];
}

void SyntheticShop::for_each_customer(const std::function<bool(std::span<const ShopEvent>)>& visit) const {
  CustomerLife life(*this);
  int64_t first_basket = 0;
  for (CustomerIndex customer = 0; customer < settings_.customers; ++customer) {
    const std::span<const ShopEvent> events = life.live(customer, first_basket);
    first_basket += life.basket_count();
    if (!visit(events)) return;
  }
}

std::string SyntheticShop::customer_id(CustomerIndex customer) const { return numbered('C', customer, settings_.customers); }
std::string SyntheticShop::item_id(ItemIndex item) const { return numbered('P', item, settings_.items); }

std::string SyntheticShop::taste_name(int32_t cluster) const {
  const auto goods = static_cast<int32_t>(kGoods.size());
  std::string name(kGoods[static_cast<size_t>(cluster % goods)]);
  if (cluster >= goods) name += " " + std::to_string(cluster / goods + 1);
  return name;
}

std::string SyntheticShop::category(ItemIndex item) const { return taste_name(cluster_of(item)); }

std::string SyntheticShop::title(ItemIndex item) const {
  RandomStream random(sub_seed(settings_.seed, kItems), static_cast<uint64_t>(item));
  const std::string_view first = kWords[static_cast<size_t>(random.below(kWords.size()))];
  const std::string_view good = item_plant_ ? std::string_view("goods") : kGoods[static_cast<size_t>(cluster_of(item)) % kGoods.size()];
  return std::string(first) + " " + std::string(good) + " no. " + std::to_string(item + 1);
}

ItemKind SyntheticShop::kind(ItemIndex item) const {
  const double u = RandomStream(sub_seed(settings_.seed, kItems) + 1, static_cast<uint64_t>(item)).unit();
  if (u < settings_.content_share) return ItemKind::kContent;
  return u < settings_.content_share + settings_.action_share ? ItemKind::kAction : ItemKind::kProduct;
}

int32_t SyntheticShop::cents(ItemIndex item) const {
  RandomStream random(sub_seed(settings_.seed, kItems) + 2, static_cast<uint64_t>(item));
  return 39 + static_cast<int32_t>(std::exp(5.3 + 0.8 * random.normal()));
}

SparseRows shop_rows(const SyntheticShop& shop) {
  SparseRows rows;
  rows.column_count = shop.settings().items;
  EventRules rules;
  rules.types = built_in_event_types();  // type 0 is a purchase
  std::vector<Event> events;
  std::vector<HistoryEntry> merged;
  shop.for_each_customer([&](std::span<const ShopEvent> life) {
    events.clear();
    for (const ShopEvent& e : life) events.push_back({.item = e.item, .time = e.time * 1'000'000, .value = static_cast<float>(e.value)});
    merge_events(events, rules, merged);
    for (const HistoryEntry& entry : merged) {
      rows.columns.push_back(entry.item);
      rows.confidences.push_back(entry.confidence);
      rows.targets.push_back(entry.target);
    }
    rows.offsets.push_back(static_cast<int64_t>(rows.columns.size()));
    return true;
  });
  if (shop.settings().return_share == 0) rows.targets = {};
  return rows;
}

}  // namespace bouquet::training
