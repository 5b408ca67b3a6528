#include "training/customer_life.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace bouquet::training {
namespace {

constexpr int64_t kEnd = 1766966400;  // Monday, 2025-12-29 00:00:00 UTC
constexpr int64_t kHour = 3600, kWeek = 7 * 24 * kHour;
constexpr double kCompanionShare = 0.25;  // of new items after the first of a basket: how many go with the one before
constexpr double kFavour = 2.5;           // how strongly buying again prefers what the customer found first
constexpr uint64_t kLifeStream = 0x6c696665;

// How busy the hours of a week are: few people at night, most before the weekend.
AliasTable hours_of_a_week() {
  constexpr std::array<double, 7> kDays = {0.9, 0.8, 0.85, 1.0, 1.3, 1.6, 0.7};
  std::vector<double> weights;
  for (const double day : kDays)
    for (int hour = 0; hour < 24; ++hour) {
      const double from_peak = (hour - 15) / 4.5;
      weights.push_back(day * (0.02 + std::exp(-from_peak * from_peak / 2)));
    }
  return AliasTable(weights);
}

int32_t pieces(RandomStream& random) {
  int32_t count = 1;
  while (count < 50 && random.chance(0.25)) ++count;
  return count;
}

}  // namespace

CustomerLife::CustomerLife(const SyntheticShop& shop)
    : shop_(shop), hours_(hours_of_a_week()), seen_by_(static_cast<size_t>(shop.settings().items), kNone) {
  cents_.reserve(seen_by_.size());
  for (ItemIndex item = 0; item < shop.settings().items; ++item) cents_.push_back(shop.cents(item));
}

// Cuts the events into baskets and gives each basket its time: weeks at random from the customer's first on, hours by the rhythm.
void CustomerLife::fill_baskets(RandomStream& random, int64_t event_count) {
  const int64_t weeks = shop_.settings().days / 7;
  const auto first_week = static_cast<int64_t>(static_cast<double>(weeks) * std::max(0.0, random.unit() - 0.5));
  const double new_basket = 1 / shop_.settings().basket_rows;
  events_.assign(static_cast<size_t>(event_count), {});
  basket_times_.clear();
  for (ShopEvent& event : events_) {
    if (basket_times_.empty() || random.chance(new_basket)) {
      const int64_t week = first_week + random.below(weeks - first_week);
      basket_times_.push_back(kEnd - (weeks - week) * kWeek + hours_.draw(random.bits()) * kHour + random.below(kHour));
    }
    event.basket = static_cast<int64_t>(basket_times_.size()) - 1;
  }
  std::sort(basket_times_.begin(), basket_times_.end());
}

// An item that the customer has not bought, by taste and popularity; whatever is left where nearly everything was bought.
ItemIndex CustomerLife::unseen_item(RandomStream& random) const {
  for (int i = 0; i < 64; ++i)
    if (const ItemIndex item = shop_.draw_item(random, tastes_); !is_seen(item)) return item;
  const int32_t items = shop_.settings().items;
  auto item = static_cast<ItemIndex>(random.below(items));
  while (is_seen(item)) item = (item + 1) % items;
  return item;
}

ItemIndex CustomerLife::new_item(RandomStream& random) {
  ItemIndex item = kNone;
  if (!bought_.empty() && random.chance(kCompanionShare)) item = shop_.companion_of(bought_.back());
  if (item == kNone || is_seen(item)) item = unseen_item(random);
  seen_by_[static_cast<size_t>(item)] = customer_;
  bought_.push_back(item);
  return item;
}

// Turns `event`, the next one, into the return of a purchase of an earlier basket. Returns whether one was found.
bool CustomerLife::give_back(RandomStream& random, ShopEvent& event) {
  const auto at = static_cast<size_t>(random.below(&event - events_.data()));
  const ShopEvent& purchase = events_[at];
  if (purchase.basket == event.basket || purchase.value < 0 || given_back_[at]) return false;
  given_back_[at] = 1;
  event.item = purchase.item;
  event.value = -purchase.value;
  return true;
}

std::span<const ShopEvent> CustomerLife::live(CustomerIndex customer, int64_t first_basket) {
  const ShopSettings& settings = shop_.settings();
  RandomStream random(random_bits(settings.seed, kLifeStream), static_cast<uint64_t>(customer));
  customer_ = customer;
  shop_.fill_tastes(customer, tastes_);
  bought_.clear();
  const int64_t count = shop_.events_of(customer);
  fill_baskets(random, count);
  given_back_.assign(events_.size(), 0);
  const double give_back_share = settings.repeat_share > 0 ? settings.return_share / settings.repeat_share : 0;
  // So many events are the first of their item, spread evenly: each of those left is one with chance new_left / left.
  int64_t new_left = std::llround(static_cast<double>(count) * (1 - settings.repeat_share));
  new_left = std::clamp<int64_t>(new_left, 1, std::min<int64_t>(count, settings.items));
  for (int64_t t = 0; t < count; ++t) {
    ShopEvent& event = events_[static_cast<size_t>(t)];
    event.customer = customer;
    event.time = basket_times_[static_cast<size_t>(event.basket)];
    if (t == 0 || random.below(count - t) < new_left) {
      --new_left;
      event.item = new_item(random);
      event.value = pieces(random);
    } else if (!random.chance(give_back_share) || !give_back(random, event)) {
      event.item = bought_[static_cast<size_t>(std::pow(random.unit(), kFavour) * static_cast<double>(bought_.size()))];
      event.value = pieces(random);
    }
    event.cents = cents_[static_cast<size_t>(event.item)];
  }
  for (ShopEvent& event : events_) event.basket += first_basket;
  return events_;
}

}  // namespace bouquet::training
