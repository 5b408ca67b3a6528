#include "training/baselines.h"

#include <algorithm>
#include <utility>

namespace bouquet::training {

void append_consumed(const HistoryView& history, std::vector<int32_t>& out) {
  for (size_t i = 0; i < history.items.size(); ++i)
    if (history.consumed[i]) out.push_back(history.items[i]);
}

void append_popular(const HistoryView& history, const Knowledge& known, bool skip_consumed, size_t limit, std::vector<int32_t>& out) {
  for (const int32_t item : known.popularity->order) {
    if (out.size() >= limit) return;
    if (!known.may_offer(item)) continue;
    if (skip_consumed) {
      const auto at = std::lower_bound(history.items.begin(), history.items.end(), item);
      if (at != history.items.end() && *at == item && history.consumed[static_cast<size_t>(at - history.items.begin())]) continue;
    }
    out.push_back(item);
  }
}

Answers most_popular(const TestSet& tests, const Knowledge& known, const AnswerOptions& options) {
  Answers answers = empty_answers(tests.size(), options.lengths);
  const auto limit = static_cast<size_t>(options.lengths.back());
  std::vector<int32_t> list;
  for (int32_t t = 0; t < tests.size(); ++t) {
    const HistoryView history = known.histories.row(tests.customers[static_cast<size_t>(t)]);
    list.clear();
    if (options.repeats == Repeats::kOnly) {
      append_consumed(history, list);
      std::erase_if(list, [&](int32_t item) { return !known.may_offer(item); });
      const std::vector<int32_t>& counts = known.popularity->item_customers;
      std::stable_sort(list.begin(), list.end(),
                       [&](int32_t a, int32_t b) { return counts[static_cast<size_t>(a)] > counts[static_cast<size_t>(b)]; });
    } else {
      append_popular(history, known, options.repeats == Repeats::kExclude, limit, list);
    }
    write_front(list, t, answers);
  }
  return answers;
}

Answers personal_frequency(const TestSet& tests, const Knowledge& known, const AnswerOptions& options) {
  if (options.repeats == Repeats::kExclude) return most_popular(tests, known, options);
  Answers answers = empty_answers(tests.size(), options.lengths);
  const std::vector<int32_t>& customers_of = known.popularity->item_customers;
  std::vector<std::pair<int32_t, int32_t>> bought;  // times, item
  std::vector<int32_t> list;
  for (int32_t t = 0; t < tests.size(); ++t) {
    const int32_t row = tests.customers[static_cast<size_t>(t)];
    const HistoryView history = known.histories.row(row);
    const auto counts = known.histories.counts_of(row);
    bought.clear();
    for (size_t i = 0; i < history.items.size(); ++i)
      if (history.consumed[i] && known.may_offer(history.items[i])) bought.emplace_back(counts[i], history.items[i]);
    std::stable_sort(bought.begin(), bought.end(), [&](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first
                                : customers_of[static_cast<size_t>(a.second)] > customers_of[static_cast<size_t>(b.second)];
    });
    list.clear();
    for (const auto& [times, item] : bought) list.push_back(item);
    if (options.repeats == Repeats::kInclude) append_popular(history, known, true, static_cast<size_t>(options.lengths.back()), list);
    write_front(list, t, answers);
  }
  return answers;
}

}  // namespace bouquet::training
