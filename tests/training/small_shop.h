// Data sets made by hand for the tests of training.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "training/dataset.h"

namespace bouquet::training {

inline constexpr int64_t kDay = 86400ll * 1000000;

struct Bought {
  std::string customer;  // empty: anonymous
  std::string item;
  int64_t day = 0;
  float value = 1;
  int32_t basket = kNone;
  std::string type = "purchase";
};

// As the readers would: ids in order of first sight, events by customer and time.
inline Dataset shop_of(const std::vector<Bought>& rows, bool with_times = true) {
  Dataset out;
  out.rules.types = built_in_event_types();
  std::vector<std::tuple<int32_t, int64_t, int32_t, const Bought*>> order;
  bool baskets = false;
  for (const Bought& row : rows) {
    const int32_t customer = row.customer.empty() ? kNone : out.customers.add(row.customer);
    order.emplace_back(customer, with_times ? row.day * kDay : 0, out.items.add(row.item), &row);
    baskets = baskets || row.basket != kNone;
    out.basket_count = std::max(out.basket_count, row.basket + 1);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(std::get<0>(a), std::get<1>(a)) < std::pair(std::get<0>(b), std::get<1>(b));
  });
  for (const auto& [customer, time, item, row] : order) {
    out.events.customers.push_back(customer);
    out.events.items.push_back(item);
    if (with_times) out.events.times.push_back(time);
    out.events.values.push_back(row->value);
    out.events.types.push_back(static_cast<uint8_t>(out.rules.find(row->type)));
    if (baskets) out.events.baskets.push_back(row->basket);
  }
  out.report.events = static_cast<int64_t>(rows.size());
  out.sources = {"shop.csv"};
  return out;
}

}  // namespace bouquet::training
