// The CrossSell requests of one batch: counted baskets first, item vectors where the counts are thin.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/ranking_batch.h"
#include "server/served_model.h"
#include "server/wanted_rows.h"

namespace bouquet::server {

// Two items bought together in fewer baskets than this say nothing about each other.
inline constexpr int32_t kMinCommonBaskets = 3;

// A candidate of cross-sell.
struct CoPurchase {
  ItemIndex item = kNone;
  double score = 0;           // sum over the basket's items i of common / sqrt(baskets(i) * baskets(item))
  ItemIndex because = kNone;  // the basket item with the highest confidence for it (the first such in index order)
  int32_t common = 0;         // baskets with `because` and it
  double support = 0, confidence = 0, lift = 0;
};

// The candidates for `basket` (ascending, distinct) that are eligible, best first (equal scores by lower index), at most k.
// The similarity of pairs is the cosine of their basket sets (Linden, Smith, York 2003, "Amazon.com Recommendations").
void find_co_purchases(const ServedModel& served, std::span<const ItemIndex> basket, const Eligibility& eligibility, int32_t k,
                       std::vector<CoPurchase>& found);

// One worker's. Not thread-safe.
class CrossSellBatch {
 public:
  // What `settings` points to outlives this.
  CrossSellBatch(const ServedModel& served, const RowSettings& settings, RankingBatch* ranking)
      : served_(served), settings_(settings), ranking_(ranking) {}

  void clear() { size_ = 0; }
  // Takes a valid request. All three outlive finish(). `status`: NotFound if every item is unknown.
  void add(const v1::CrossSellRequest& request, v1::CrossSellResponse* response, absl::Status* status);
  void finish(const absl::Status& ranked);

 private:
  struct Plan {
    v1::CrossSellResponse* response = nullptr;
    absl::Status* status = nullptr;
    int32_t k = 0;
    const std::string* placement = nullptr;  // as asked for
    ItemSelection selection;
    std::vector<ItemIndex> basket;  // ascending
    bool explain = false;
    std::vector<CoPurchase> found;
    int32_t query = kNone;  // kNone: the counts were enough
  };

  int32_t rank_by_direction(std::span<const ItemIndex> basket, const Eligibility& eligibility, int32_t k);
  // The basket item whose vector points most the same way; the first of equals.
  ItemIndex nearest_in_basket(ItemIndex item, std::span<const ItemIndex> basket) const;
  void write(const Plan& plan) const;

  const ServedModel& served_;
  const RowSettings settings_;
  RankingBatch* ranking_;
  std::vector<Plan> plans_;
  size_t size_ = 0;
  std::vector<ItemIndex> basket_, excluded_;
  std::vector<float> direction_;
};

}  // namespace bouquet::server
