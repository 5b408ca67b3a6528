// One customer's events in the synthetic shop. Reused from customer to customer for its memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "training/synthetic_shop.h"

namespace bouquet::training {

class CustomerLife {
 public:
  explicit CustomerLife(const SyntheticShop& shop);

  // The customer's events in order of time. Baskets are numbered from `first_basket`. Valid until the next call.
  std::span<const ShopEvent> live(CustomerIndex customer, int64_t first_basket);
  int64_t basket_count() const { return static_cast<int64_t>(basket_times_.size()); }  // of the last call

 private:
  void fill_baskets(RandomStream& random, int64_t event_count);
  ItemIndex new_item(RandomStream& random);
  ItemIndex unseen_item(RandomStream& random) const;
  bool give_back(RandomStream& random, ShopEvent& event);
  bool is_seen(ItemIndex item) const { return seen_by_[static_cast<size_t>(item)] == customer_; }

  const SyntheticShop& shop_;
  AliasTable hours_;                   // of a week, from Monday
  std::vector<int32_t> cents_;         // [items]
  std::vector<int32_t> seen_by_;       // [items] the last customer who bought it
  std::vector<ItemIndex> bought_;      // the customer's items in order of first purchase
  std::vector<int64_t> basket_times_;  // ascending
  std::vector<ShopEvent> events_;      // in order of time
  std::vector<uint8_t> given_back_;    // [events_]
  Tastes tastes_;
  CustomerIndex customer_ = 0;
};

}  // namespace bouquet::training
