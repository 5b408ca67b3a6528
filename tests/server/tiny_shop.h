// A shop small enough to check by hand, as an Artifact.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/artifact.h"
#include "engine/event_rules.h"

namespace bouquet::server {

struct TinyShop {
  struct Item {
    std::string id;
    std::vector<float> vector;
    ItemKind kind = ItemKind::kProduct;
    std::string title = {};
    int32_t customers = 0;  // popularity
  };
  struct Customer {
    std::string id;
    std::vector<float> profile;
    std::vector<HistoryEntry> history = {};  // ascending by item
  };

  std::vector<Item> items;
  std::vector<Customer> customers;
  std::vector<std::vector<int32_t>> baskets;  // of distinct items
  CatalogColumns columns = {};
  double repurchase_share = 0;
  double repurchase_half_life_days = 0;
  std::string version = "v1";
  int32_t dimension = 0;  // 0: of the first item

  Artifact artifact() const;
  std::shared_ptr<const Artifact> shared() const { return std::make_shared<const Artifact>(artifact()); }
};

// The bytes of an answer but for its name, which no other one has.
template <typename Response>
std::string bytes_without_name(Response response) {
  if constexpr (requires { response.clear_recommendation_id(); }) response.clear_recommendation_id();
  return response.SerializeAsString();
}

// A noise of .2, and items that are the less sure the later they come.
Uncertainty some_uncertainty(const Model& model);

// Items and customers with seeded gaussian vectors, kinds in turn, and histories of every seventh item.
TinyShop random_shop(int item_count, int customer_count, int dimension, unsigned seed);

}  // namespace bouquet::server
