// The SimilarItems requests of one batch: add() them, let the ranking of unit vectors run, finish().
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/ranking_batch.h"
#include "server/served_model.h"
#include "server/wanted_rows.h"

namespace bouquet::server {

// A NotFound for an item that the model does not know, with the nearest id it does know if there is a near one.
absl::Status unknown_item(const IdTable& items, std::string_view id);

// One worker's. Not thread-safe.
class SimilarBatch {
 public:
  // What `settings` points to outlives this.
  SimilarBatch(const ServedModel& served, const RowSettings& settings, RankingBatch* ranking)
      : served_(served), settings_(settings), ranking_(ranking) {}

  void clear() { plans_.clear(); }
  // Takes a valid request. All three outlive finish(). `status`: NotFound for an unknown item.
  void add(const v1::SimilarItemsRequest& request, v1::SimilarItemsResponse* response, absl::Status* status);
  void finish(const absl::Status& ranked);

 private:
  struct Plan {
    v1::SimilarItemsResponse* response;
    absl::Status* status;
    const std::string* placement;  // as asked for
    ItemIndex item;
    int32_t k;
    int32_t query;
    bool explain;
    ItemSelection selection;
  };

  const ServedModel& served_;
  const RowSettings settings_;
  RankingBatch* ranking_;
  std::vector<Plan> plans_;
  std::vector<ItemIndex> excluded_;
};

}  // namespace bouquet::server
