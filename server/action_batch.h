// The NextBestAction requests of one batch: add() them, let the profiles be solved, finish().
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/content_blend.h"
#include "server/action_rules.h"
#include "server/asker.h"
#include "server/fold_in_batch.h"
#include "server/placements.h"
#include "server/served_model.h"
#include "server/wanted_rows.h"

namespace bouquet::server {

// One worker's; its memory is reused from batch to batch. Not thread-safe.
class ActionBatch {
 public:
  struct Settings {
    RowSettings rows;
    const ActionRules& rules;
  };
  // All of it outlives the batch. `fold_in` may be nullptr when the model has no items.
  ActionBatch(const ServedModel& served, const Settings& settings, AskerReader& askers, FoldInBatch* fold_in, ContentBlend& blend)
      : served_(served), settings_(settings), askers_(askers), fold_in_(fold_in), blend_(&blend) {}

  void clear() { size_ = 0; }
  // Takes a valid request (request_limits.h), which outlives finish() as the other two do. `status` tells later how it went.
  void add(const v1::NextBestActionRequest& request, const WireAttributes* wire, v1::NextBestActionResponse* response,
           absl::Status* status);
  // After fold_in has solved: writes the responses.
  void finish();

 private:
  struct Plan {
    const v1::NextBestActionRequest* request = nullptr;
    v1::NextBestActionResponse* response = nullptr;
    absl::Status* status = nullptr;
    int32_t k = 0;
    ItemSelection selection;
    Asker asker;
    std::vector<ItemIndex> excluded;  // ascending
  };
  struct Offer {
    ItemIndex item = kNone;
    float score = 0;
    double probability = 0, value = 0;
    double expected() const { return probability * value; }
  };

  absl::Status read(const v1::NextBestActionRequest& request, const WireAttributes* wire, Plan& plan);
  std::vector<Contact> contacts(const Plan& plan, int64_t now) const;
  // The actions that may be offered, ascending; counts those that only the rules keep away.
  std::vector<ItemIndex> allowed(const Plan& plan, int32_t& withheld) const;
  absl::Status write(Plan& plan);
  absl::Status value_by_model(const Plan& plan, std::span<const float> profile, std::vector<Offer>& offers);
  void value_by_popularity(std::vector<Offer>& offers) const;
  absl::Status explain(const Plan& plan);

  const ServedModel& served_;
  const Settings settings_;
  AskerReader& askers_;
  FoldInBatch* fold_in_;
  ContentBlend* blend_;
  std::vector<Plan> plans_;
  size_t size_ = 0;
  std::vector<float> cholesky_;
};

}  // namespace bouquet::server
