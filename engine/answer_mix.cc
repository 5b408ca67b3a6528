#include "engine/answer_mix.h"

#include <algorithm>
#include <cmath>

#include "engine/score.h"

namespace bouquet {

void rank_repurchases(const HistoryView& history, const RowsAllowed& allowed, int32_t limit, std::vector<AnswerRow>& head) {
  head.clear();
  for (size_t i = 0; i < history.items.size(); ++i) {
    const ItemIndex item = history.items[i];
    if (!history.consumed[i]) continue;
    if (!allowed.filter.words.empty() && !allowed.filter.test(item)) continue;
    if (std::binary_search(allowed.excluded.begin(), allowed.excluded.end(), item)) continue;
    head.push_back({.item = item, .score = history.repurchase[i], .source = AnswerSource::kRepurchase});
  }
  const auto kept = std::min(head.size(), static_cast<size_t>(std::max(limit, 0)));
  std::partial_sort(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(kept), head.end(),
                    [](const AnswerRow& a, const AnswerRow& b) { return ranks_before(a.score, a.item, b.score, b.item); });
  head.resize(kept);
}

int32_t leading_repurchases(double share, int32_t k, int64_t available) {
  const auto wanted = static_cast<int64_t>(std::floor(std::clamp(share, 0.0, 1.0) * k + 0.5));
  return static_cast<int32_t>(std::min(wanted, available));
}

void mix_answer(std::span<const AnswerRow> head, std::span<const int32_t> model_rows, std::span<const float> model_scores, double share,
                int32_t k, std::vector<AnswerRow>& answer) {
  const auto limit = static_cast<size_t>(k);
  const auto lead = static_cast<size_t>(leading_repurchases(share, k, static_cast<int64_t>(head.size())));
  answer.assign(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(lead));
  for (size_t i = 0; i < model_rows.size() && model_rows[i] != kNone && answer.size() < limit; ++i)
    answer.push_back({.item = model_rows[i], .score = model_scores[i], .source = AnswerSource::kModel});
  for (size_t i = lead; i < head.size() && answer.size() < limit; ++i) answer.push_back(head[i]);
}

std::vector<int32_t> interleave_by_shares(std::span<const double> shares, std::span<const int64_t> available, int32_t k) {
  double whole = 0;
  for (const double share : shares) whole += share;
  std::vector<int64_t> taken(shares.size(), 0);
  std::vector<int32_t> order;
  for (int32_t t = 1; t <= k; ++t) {
    int32_t next = kNone;
    double furthest = 0;
    for (size_t list = 0; list < shares.size(); ++list) {
      if (taken[list] == available[list]) continue;
      const double below = shares[list] / whole * t - static_cast<double>(taken[list]);
      if (next != kNone && below <= furthest) continue;
      next = static_cast<int32_t>(list);
      furthest = below;
    }
    if (next == kNone) break;
    ++taken[static_cast<size_t>(next)];
    order.push_back(next);
  }
  return order;
}

}  // namespace bouquet
