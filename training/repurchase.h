// Settings of the repurchase head, chosen on the select part: how fast old purchases fade, and how many rows of an answer that may
// repeat come from it (after UP-CF@r, Faggioli et al. 2020, and TIFU-KNN, Hu et al. 2020: frequency with decay).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/event_rules.h"
#include "training/answers.h"
#include "training/dataset.h"

namespace bouquet::training {

struct RepurchaseChoice {
  double half_life_days = 0;  // 0: counts do not fade
  double share = 0;           // of an answer's rows, 0 to 1
  double recall = 0;          // at kRepurchaseLength with repeats included, on the select part
};

inline constexpr int32_t kRepurchaseLength = 20;

// The repurchase scores of the histories in the events with in_part[e] != 0 (empty: all) for another half-life, in the order of
// TrainingSet::repurchase: by customer, then item.
std::vector<float> repurchase_scores(const Dataset& dataset, std::span<const uint8_t> in_part, EventRules rules, double half_life_days);

// HistoryEntry::count of the same histories in the same order.
std::vector<int32_t> purchase_counts(const Dataset& dataset, std::span<const uint8_t> in_part, const EventRules& rules);

// Tries every half-life (none, 7 to 365 days; without times none alone) with every share (0, .1, ..., 1) and keeps the best recall;
// of equals the slower fading and then the smaller share. `fresh` are the model's answers of kRepurchaseLength with kExclude;
// `known` and `rules` are those of the fit on the events of `in_part`.
RepurchaseChoice choose_repurchase(const Dataset& dataset, std::span<const uint8_t> in_part, const EventRules& rules, const TestSet& tests,
                                   const Knowledge& known, const Answers& fresh);

}  // namespace bouquet::training
