#include "tests/server/tiny_shop.h"

#include <algorithm>
#include <random>

namespace bouquet::server {
namespace {

CoPurchases count_pairs(const std::vector<std::vector<int32_t>>& baskets, size_t item_count) {
  if (baskets.empty()) return {};
  std::vector<int32_t> item_baskets(item_count, 0);
  std::map<std::pair<int32_t, int32_t>, int32_t> pairs;
  for (const auto& basket : baskets)
    for (const int32_t a : basket) {
      ++item_baskets[static_cast<size_t>(a)];
      for (const int32_t b : basket)
        if (a != b) ++pairs[{a, b}];
    }
  std::vector<std::vector<std::pair<int32_t, int32_t>>> partners(item_count);  // (-count, item)
  for (const auto& [pair, count] : pairs) partners[static_cast<size_t>(pair.first)].push_back({-count, pair.second});
  CoPurchases out;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items, counts;
  for (auto& list : partners) {
    std::sort(list.begin(), list.end());
    for (const auto& [negative, item] : list) {
      items.push_back(item);
      counts.push_back(-negative);
    }
    offsets.push_back(static_cast<int64_t>(items.size()));
  }
  out.basket_count = static_cast<int64_t>(baskets.size());
  out.item_baskets = std::move(item_baskets);
  out.offsets = std::move(offsets);
  out.partners = std::move(items);
  out.counts = std::move(counts);
  return out;
}

std::vector<float> gram(const std::vector<float>& rows, size_t d) {
  std::vector<float> out(d * d, 0);
  for (size_t r = 0; r < rows.size(); r += d)
    for (size_t a = 0; a < d; ++a)
      for (size_t b = 0; b < d; ++b) out[a * d + b] += rows[r + a] * rows[r + b];
  return out;
}

}  // namespace

Artifact TinyShop::artifact() const {
  Artifact out;
  out.version = version;
  out.rules = {.types = built_in_event_types(), .reference_time = 1000ll * 86400 * 1000000};
  out.rules.repurchase_half_life_days = repurchase_half_life_days;
  out.repurchase.share = repurchase_share;
  const auto d = static_cast<size_t>(dimension > 0 ? dimension : static_cast<int>(items.at(0).vector.size()));
  IdMap item_ids, customer_ids;
  std::vector<float> vectors, profiles;
  std::vector<uint8_t> kinds;
  std::vector<int32_t> popularity;
  std::vector<std::string> titles;
  for (const Item& item : items) {
    item_ids.add(item.id);
    vectors.insert(vectors.end(), item.vector.begin(), item.vector.end());
    kinds.push_back(static_cast<uint8_t>(item.kind));
    popularity.push_back(item.customers);
    titles.push_back(item.title);
  }
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> history_items;
  std::vector<float> confidences, targets, repurchase;
  std::vector<uint8_t> consumed;
  std::vector<int32_t> counts;
  for (const Customer& customer : customers) {
    customer_ids.add(customer.id);
    profiles.insert(profiles.end(), customer.profile.begin(), customer.profile.end());
    for (const HistoryEntry& entry : customer.history) {
      history_items.push_back(entry.item);
      confidences.push_back(entry.confidence);
      targets.push_back(entry.target);
      consumed.push_back(entry.consumed);
      repurchase.push_back(entry.repurchase);
      counts.push_back(entry.consumed ? 1 : 0);
    }
    offsets.push_back(static_cast<int64_t>(history_items.size()));
  }
  out.model.dimension = static_cast<int32_t>(d);
  out.model.item_gram = gram(vectors, d);
  out.model.item_vectors = std::move(vectors);
  out.model.profiles = std::move(profiles);
  out.model.constants = {.unobserved_weight = 0.1,
                         .regularization = 0.1,
                         .regularization_exponent = 0.5,
                         .training_item_count = static_cast<int64_t>(items.size()),
                         .training_customer_count = static_cast<int64_t>(customers.size())};
  out.item_ids = std::move(item_ids).freeze();
  out.customer_ids = std::move(customer_ids).freeze();
  out.catalog.kinds = std::move(kinds);
  out.catalog.titles = string_column(titles);
  out.catalog.columns = columns;
  out.item_customers = std::move(popularity);
  out.histories.offsets = std::move(offsets);
  out.histories.items = std::move(history_items);
  out.histories.confidences = std::move(confidences);
  out.histories.targets = std::move(targets);
  out.histories.consumed = std::move(consumed);
  out.histories.repurchase = std::move(repurchase);
  out.histories.counts = std::move(counts);
  out.co_purchases = count_pairs(baskets, items.size());
  return out;
}

Uncertainty some_uncertainty(const Model& model) {
  const auto d = static_cast<size_t>(model.dimension);
  std::vector<float> basis(d * d, 0), certainties;
  for (size_t j = 0; j < d; ++j) basis[j * d + j] = 1;
  for (size_t j = 0; j < d; ++j) basis.push_back(2.0f + static_cast<float>(j));
  for (int32_t i = 0; i < model.item_count(); ++i) {
    certainties.push_back(0.1f + 0.01f * static_cast<float>(i));
    certainties.push_back(1);
  }
  return {.noise_variance = 0.2, .basis = std::move(basis), .items = std::move(certainties)};
}

TinyShop random_shop(int item_count, int customer_count, int dimension, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const auto vector = [&] {
    std::vector<float> v(static_cast<size_t>(dimension));
    for (float& x : v) x = normal(random);
    return v;
  };
  TinyShop shop;
  shop.dimension = dimension;
  for (int i = 0; i < item_count; ++i)
    shop.items.push_back({.id = "item" + std::to_string(i),
                          .vector = vector(),
                          .kind = static_cast<ItemKind>(i % kItemKindCount),
                          .title = "Title " + std::to_string(i),
                          .customers = (i * 7919) % 101});
  for (int c = 0; c < customer_count; ++c) {
    TinyShop::Customer customer{.id = "customer" + std::to_string(c), .profile = vector()};
    for (int i = c % 7; i < item_count; i += 7)
      customer.history.push_back({.item = i,
                                  .confidence = 1 + static_cast<float>(i % 3),
                                  .consumed = i % 2 == 0,
                                  .repurchase = i % 2 == 0 ? static_cast<float>(i % 5 + 1) : 0});
    shop.customers.push_back(std::move(customer));
  }
  return shop;
}

}  // namespace bouquet::server
