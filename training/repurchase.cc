#include "training/repurchase.h"

#include <algorithm>
#include <array>

#include "training/customer_figures.h"
#include "training/part_histories.h"

namespace bouquet::training {
namespace {

constexpr double kHalfLives[] = {0, 365, 180, 90, 60, 30, 14, 7};  // slower fading first: 0 is none at all
constexpr size_t kShares = 11;                                     // 0, .1, ..., 1

double share_at(size_t index) { return static_cast<double>(index) / static_cast<double>(kShares - 1); }

// Mean recall with repeats included of each share, for one column of repurchase scores.
std::array<double, kShares> recall_by_share(const JudgedCustomers& judged, const TestSet& tests, const HistoriesView& histories,
                                            const Answers& fresh) {
  std::array<double, kShares> recall{};
  const auto k = static_cast<size_t>(kRepurchaseLength);
  const std::vector<float> no_scores(k, 0);
  std::vector<AnswerRow> head, answer;
  for (size_t i = 0; i < judged.tests.size(); ++i) {
    const int32_t t = judged.tests[i];
    const auto model_rows = std::span(fresh.rows[0]).subspan(static_cast<size_t>(t) * k, k);
    const auto relevant = judged.relevant_of(i);
    rank_repurchases(histories.row(tests.customers[static_cast<size_t>(t)]), {}, kRepurchaseLength, head);
    for (size_t s = 0; s < kShares; ++s) {
      mix_answer(head, model_rows, no_scores, share_at(s), kRepurchaseLength, answer);
      const auto hits = std::count_if(answer.begin(), answer.end(),
                                      [&](const AnswerRow& row) { return std::binary_search(relevant.begin(), relevant.end(), row.item); });
      recall[s] += static_cast<double>(hits) / static_cast<double>(judged.total[i]);
    }
  }
  for (double& value : recall) value /= static_cast<double>(std::max<size_t>(judged.tests.size(), 1));
  return recall;
}

}  // namespace

std::vector<float> repurchase_scores(const Dataset& dataset, std::span<const uint8_t> in_part, EventRules rules, double half_life_days) {
  rules.repurchase_half_life_days = half_life_days;
  std::vector<float> out;
  for_each_history(dataset, in_part, rules, [&](CustomerIndex, const std::vector<HistoryEntry>& history) {
    for (const HistoryEntry& entry : history) out.push_back(entry.repurchase);
  });
  return out;
}

std::vector<int32_t> purchase_counts(const Dataset& dataset, std::span<const uint8_t> in_part, const EventRules& rules) {
  std::vector<int32_t> out;
  for_each_history(dataset, in_part, rules, [&](CustomerIndex, const std::vector<HistoryEntry>& history) {
    for (const HistoryEntry& entry : history) out.push_back(entry.count);
  });
  return out;
}

RepurchaseChoice choose_repurchase(const Dataset& dataset, std::span<const uint8_t> in_part, const EventRules& rules, const TestSet& tests,
                                   const Knowledge& known, const Answers& fresh) {
  const JudgedCustomers judged = judged_customers(tests, known.histories, Repeats::kInclude, false);
  RepurchaseChoice best{.half_life_days = 0, .share = 0, .recall = -1};
  for (const double half_life : kHalfLives) {
    const std::vector<float> scores = repurchase_scores(dataset, in_part, rules, half_life);
    HistoriesView histories = known.histories;
    histories.repurchase = scores;
    const auto recall = recall_by_share(judged, tests, histories, fresh);
    for (size_t s = 0; s < kShares; ++s)
      if (recall[s] > best.recall) best = {half_life, share_at(s), recall[s]};
    if (!dataset.events.has_times()) break;
  }
  return best;
}

}  // namespace bouquet::training
