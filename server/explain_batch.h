// The Explain requests of one batch: add() them, let the profiles be solved, finish().
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/content_blend.h"
#include "server/asker.h"
#include "server/fold_in_batch.h"
#include "server/placements.h"
#include "server/served_model.h"

namespace bouquet::server {

// One worker's; its memory is reused from batch to batch. Not thread-safe.
class ExplainBatch {
 public:
  // All of it outlives the batch. `fold_in` may be nullptr when the model has no items.
  ExplainBatch(const ServedModel& served, const Placements& placements, AskerReader& askers, FoldInBatch* fold_in, ContentBlend& blend)
      : served_(served), placements_(placements), askers_(askers), fold_in_(fold_in), blend_(&blend) {}

  void clear() { size_ = 0; }
  // Takes a valid request (request_limits.h). `status` tells later how it went. All three outlive finish().
  void add(const v1::ExplainRequest& request, const WireAttributes* wire, v1::ExplainResponse* response, absl::Status* status);
  // After fold_in has solved: writes the responses.
  void finish();

 private:
  struct Plan {
    v1::ExplainResponse* response = nullptr;
    absl::Status* status = nullptr;
    v1::Explain how = v1::EXPLAIN_TOP;
    ItemSelection offered;  // what is available now
    std::vector<ItemIndex> items;
    Asker asker;
  };

  void write(Plan& plan);
  void write_personal(Plan& plan, std::span<const float> profile);
  bool is_offered(const Plan& plan, ItemIndex item) const;

  const ServedModel& served_;
  const Placements& placements_;
  AskerReader& askers_;
  FoldInBatch* fold_in_;
  ContentBlend* blend_;
  std::vector<Plan> plans_;
  size_t size_ = 0;
  std::vector<float> cholesky_;
  std::vector<v1::RecommendedItem*> rows_;
};

}  // namespace bouquet::server
