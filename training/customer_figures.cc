#include "training/customer_figures.h"

#include <algorithm>

namespace bouquet::training {
namespace {

bool is_consumed(const HistoryView& history, int32_t item) {
  const auto at = std::lower_bound(history.items.begin(), history.items.end(), item);
  return at != history.items.end() && *at == item && history.consumed[static_cast<size_t>(at - history.items.begin())];
}

std::span<const int32_t> offered(const Answers& answers, size_t length, int32_t t) {
  const auto k = static_cast<size_t>(answers.lengths[length]);
  auto row = std::span(answers.rows[length]).subspan(static_cast<size_t>(t) * k, k);
  return row.first(static_cast<size_t>(std::find(row.begin(), row.end(), kNone) - row.begin()));
}

float mean_percentile(std::span<const int32_t> row, const Popularity& popularity) {
  if (row.empty()) return 0;
  double sum = 0;
  for (const int32_t item : row) sum += static_cast<double>(popularity.percentile[static_cast<size_t>(item)]);
  return static_cast<float>(sum / static_cast<double>(row.size()));
}

void add_length(const Answers& answers, size_t length, const JudgedCustomers& judged, const Popularity& popularity, CustomerFigures& out) {
  const int32_t k = answers.lengths[length];
  const size_t first = out.names.size();
  for (int m = 0; m < kListMetricCount; ++m) out.names.push_back(metric_name(static_cast<ListMetric>(m), k));
  out.names.push_back("popularity@" + std::to_string(k));
  out.columns.resize(out.names.size(), std::vector<float>(judged.tests.size()));
  std::vector<uint8_t> hits, seen(popularity.percentile.size(), 0);
  for (size_t i = 0; i < judged.tests.size(); ++i) {
    const auto row = offered(answers, length, judged.tests[i]);
    const auto relevant = judged.relevant_of(i);
    hits.assign(row.size(), 0);
    for (size_t r = 0; r < row.size(); ++r) {
      hits[r] = std::binary_search(relevant.begin(), relevant.end(), row[r]);
      seen[static_cast<size_t>(row[r])] = 1;
    }
    const auto values = list_metrics(hits, k, judged.total[i]);
    for (size_t m = 0; m < values.size(); ++m) out.columns[first + m][i] = static_cast<float>(values[m]);
    out.columns.back()[i] = mean_percentile(row, popularity);
  }
  const auto offered_items = std::count(seen.begin(), seen.end(), 1);
  out.coverage.push_back(seen.empty() ? 0 : static_cast<double>(offered_items) / static_cast<double>(seen.size()));
}

}  // namespace

JudgedCustomers judged_customers(const TestSet& tests, const HistoriesView& histories, Repeats repeats, bool with_unknown) {
  JudgedCustomers out;
  for (int32_t t = 0; t < tests.size(); ++t) {
    const int32_t row = tests.customers[static_cast<size_t>(t)];
    if (row == kNone && !with_unknown) continue;
    const HistoryView history = histories.row(row);
    for (const int32_t item : tests.relevant_of(t)) {
      if (repeats == Repeats::kExclude && is_consumed(history, item)) continue;
      if (repeats == Repeats::kOnly && !is_consumed(history, item)) continue;
      out.relevant.push_back(item);
    }
    int64_t total = static_cast<int64_t>(out.relevant.size()) - out.offsets.back();
    if (with_unknown && repeats != Repeats::kOnly) total += tests.unknown_relevant[static_cast<size_t>(t)];
    if (total == 0) continue;
    out.tests.push_back(t);
    out.total.push_back(total);
    out.offsets.push_back(static_cast<int64_t>(out.relevant.size()));
  }
  return out;
}

CustomerFigures customer_figures(const Answers& answers, const JudgedCustomers& judged, const Popularity& popularity) {
  CustomerFigures out;
  for (size_t j = 0; j < answers.lengths.size(); ++j) add_length(answers, j, judged, popularity, out);
  return out;
}

}  // namespace bouquet::training
