// How an answer that may repeat purchases is composed: rows of the repurchase head first, then what the model thinks is new.
// Serving and the evaluator call this same code, so that offline figures are those of the product.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/views.h"

namespace bouquet {

enum class AnswerSource : uint8_t { kModel = 0, kRepurchase = 1 };

// Scores compare only within a source.
struct AnswerRow {
  ItemIndex item = kNone;
  float score = 0;
  AnswerSource source = AnswerSource::kModel;
  bool operator==(const AnswerRow&) const = default;
};

// One customer's history by columns (a row of Histories, or of HistoryEntry): items ascending.
struct HistoryView {
  std::span<const int32_t> items;
  std::span<const uint8_t> consumed;  // same length
  std::span<const float> repurchase;  // same length
};

// What may be answered besides: both empty means everything.
struct RowsAllowed {
  BitmapView filter;                  // over items; without words: no filter
  std::span<const int32_t> excluded;  // ascending
};

// The repurchase head: the customer's consumed and allowed items, best first by repurchase score, equal scores by lower index, at
// most `limit` of them. `head` is cleared first.
void rank_repurchases(const HistoryView& history, const RowsAllowed& allowed, int32_t limit, std::vector<AnswerRow>& head);

// How many rows of an answer of k lead with the head: min(round(share * k), available), halves rounded up. share in [0, 1].
int32_t leading_repurchases(double share, int32_t k, int64_t available);

// The answer, at most k rows: the first leading_repurchases(share, k, head.size()) rows of `head`; then the model's rows, which
// must not repeat consumed items, up to the first kNone; then, only if the model ran out, what is left of the head.
// `model_rows` and `model_scores` have the same length and need not be longer than k. `answer` is cleared first.
void mix_answer(std::span<const AnswerRow> head, std::span<const int32_t> model_rows, std::span<const float> model_scores, double share,
                int32_t k, std::vector<AnswerRow>& answer);

// Mixes lists of answers: which list each row of an answer of at most `k` comes from, each list in its own order. Row t (from 1) comes from
// the list whose count so far is furthest below share * t, of those that have rows left (of equals the first), so that every beginning of
// the answer is as near to the shares as it can be. `shares` are more than 0 and count by their ratios; `available`: rows of each list.
std::vector<int32_t> interleave_by_shares(std::span<const double> shares, std::span<const int64_t> available, int32_t k);

}  // namespace bouquet
