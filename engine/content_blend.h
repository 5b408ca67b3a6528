// Ranks items that nobody has taken yet by two things at once: the profile against the vector that their attributes lead one to expect, and
// how alike they are to the items of the history.
//
//   score(i) = q_i·p + f c_i,   c_i = sum over the items j of the history of likeness(j, i),   f = weight · dev(q·p) / dev(c)
//
// The deviations are over all items that links lead to, so that the two parts weigh the same for every customer at weight 1. Items with
// events, and those with c = 0, keep q·p. Serving and the evaluator call this same code.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/content_links.h"
#include "engine/model.h"
#include "engine/views.h"

namespace bouquet {

// One worker's; its memory (a number per item) is reused. Not thread-safe.
class ContentBlend {
 public:
  // All of it outlives this. `links` may be empty: then nothing changes.
  ContentBlend(const Model& model, const ContentLinks& links);

  // `rows` and `scores`: the best rows of q·p, best first; the first kNone ends them. Afterwards the best `k` with the content path, in
  // rows() and scores(). `allowed`: whether a row may be offered; it is asked about linked items alone.
  void blend(std::span<const float> profile, std::span<const int32_t> history, std::span<const int32_t> rows, std::span<const float> scores,
             int32_t k, const std::function<bool(ItemIndex)>& allowed);

  // The score of `item` as the last blend() has it, for the same `profile`; of any item, whether it may be offered or not.
  float score_of(std::span<const float> profile, ItemIndex item) const;

  std::span<const int32_t> rows() const { return rows_; }
  std::span<const float> scores() const { return scores_; }

  // f of the last blend(); 0: nothing of the history leads anywhere, or no two items differ.
  double factor() const { return factor_; }
  // f · likeness(j, item) of the last blend's history, in its order: what each adds to the score of `item`. Empty where all are 0.
  std::vector<double> contributions(std::span<const int32_t> history, ItemIndex item) const;

 private:
  void gather(std::span<const int32_t> history);
  double deviation_of_profile(std::span<const float> profile) const;
  double deviation_of_likeness() const;

  const Model& model_;
  const ContentLinks& links_;
  int32_t linked_count_ = 0;
  double factor_ = 0;
  std::vector<double> likeness_;  // [item_count], 0 but where touched_ says
  std::vector<int32_t> touched_;
  std::vector<int32_t> rows_;
  std::vector<float> scores_;
  std::vector<std::pair<float, int32_t>> merged_;
};

}  // namespace bouquet
