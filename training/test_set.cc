#include "training/test_set.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>

#include "engine/counter_random.h"
#include "training/part_histories.h"

namespace bouquet::training {
namespace {

template <typename T>
std::span<const T> slice(std::span<const T> column, std::span<const int64_t> offsets, int32_t r) {
  const auto from = static_cast<size_t>(offsets[static_cast<size_t>(r)]), to = static_cast<size_t>(offsets[static_cast<size_t>(r) + 1]);
  return column.empty() ? column : column.subspan(from, to - from);
}

std::string types_seen(const Dataset& dataset, std::span<const uint8_t> in_part) {
  std::set<std::string> names;
  for (size_t e = 0; e < dataset.events.customers.size(); ++e)
    if (in_part.empty() || in_part[e]) names.insert(dataset.rules.types[dataset.events.types[e]].name);
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

void add_row(const std::vector<HistoryEntry>& merged, const RowMaps& rows, CustomerIndex customer, TestSet& tests) {
  int32_t unknown = 0;
  const auto begin = static_cast<std::ptrdiff_t>(tests.relevant.size());
  bool any = false;
  for (const HistoryEntry& entry : merged) {
    if (!entry.consumed) continue;
    any = true;
    const int32_t row = rows.items[static_cast<size_t>(entry.item)];
    if (row == kNone)
      ++unknown;
    else
      tests.relevant.push_back(row);
  }
  if (!any) return;
  std::sort(tests.relevant.begin() + begin, tests.relevant.end());
  tests.customers.push_back(rows.customers[static_cast<size_t>(customer)]);
  tests.asked.push_back(customer);
  tests.unknown_relevant.push_back(unknown);
  tests.offsets.push_back(static_cast<int64_t>(tests.relevant.size()));
}

// Keeps the `limit` rows that a seeded order puts first, in their old order.
TestSet sampled(const TestSet& tests, int32_t limit, uint64_t seed) {
  std::vector<std::pair<uint64_t, int32_t>> order;
  for (int32_t t = 0; t < tests.size(); ++t) order.emplace_back(random_bits(seed, static_cast<uint64_t>(t)), t);
  std::nth_element(order.begin(), order.begin() + limit, order.end());
  order.resize(static_cast<size_t>(limit));
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  TestSet out;
  for (const auto& [bits, t] : order) {
    const auto relevant = tests.relevant_of(t);
    out.customers.push_back(tests.customers[static_cast<size_t>(t)]);
    if (!tests.asked.empty()) out.asked.push_back(tests.asked[static_cast<size_t>(t)]);
    out.unknown_relevant.push_back(tests.unknown_relevant[static_cast<size_t>(t)]);
    out.relevant.insert(out.relevant.end(), relevant.begin(), relevant.end());
    out.offsets.push_back(static_cast<int64_t>(out.relevant.size()));
  }
  return out;
}

}  // namespace

TestSet restricted(const TestSet& tests, BitmapView among) {
  if (among.words.empty()) return tests;
  TestSet out;
  for (int32_t t = 0; t < tests.size(); ++t) {
    const size_t before = out.relevant.size();
    for (const int32_t item : tests.relevant_of(t))
      if (among.test(item)) out.relevant.push_back(item);
    if (out.relevant.size() == before) continue;
    out.customers.push_back(tests.customers[static_cast<size_t>(t)]);
    if (!tests.asked.empty()) out.asked.push_back(tests.asked[static_cast<size_t>(t)]);
    out.unknown_relevant.push_back(0);
    out.offsets.push_back(static_cast<int64_t>(out.relevant.size()));
  }
  return out;
}

HistoriesView HistoriesView::of(const TrainingSet& set, std::span<const int32_t> counts) {
  const SparseRows& rows = set.interactions.by_customer;
  return {rows.offsets, rows.columns, set.consumed, set.repurchase, counts};
}

HistoriesView HistoriesView::of(const Histories& h) {
  return {h.offsets.view(), h.items.view(), h.consumed.view(), h.repurchase.view(), h.counts.view()};
}

HistoryView HistoriesView::row(int32_t r) const {
  if (r == kNone) return {};
  return {slice(items, offsets, r), slice(consumed, offsets, r), slice(repurchase, offsets, r)};
}

std::span<const int32_t> HistoriesView::counts_of(int32_t r) const {
  if (r == kNone) return {};
  return slice(counts, offsets, r);
}

RowMaps RowMaps::of(const Dataset& dataset, const TrainingSet& set) {
  RowMaps out{std::vector<int32_t>(static_cast<size_t>(dataset.customers.size()), kNone),
              std::vector<int32_t>(static_cast<size_t>(dataset.items.size()), kNone)};
  for (size_t r = 0; r < set.customers.size(); ++r) out.customers[static_cast<size_t>(set.customers[r])] = static_cast<int32_t>(r);
  for (size_t r = 0; r < set.items.size(); ++r) out.items[static_cast<size_t>(set.items[r])] = static_cast<int32_t>(r);
  return out;
}

absl::StatusOr<TestSet> build_test_set(const Dataset& dataset, std::span<const uint8_t> in_part, const EventRules& rules,
                                       const RowMaps& rows, int32_t limit, uint64_t seed) {
  EventRules all = rules;
  all.max_history = std::numeric_limits<int32_t>::max();
  TestSet tests;
  for_each_history(dataset, in_part, all,
                   [&](CustomerIndex customer, const std::vector<HistoryEntry>& history) { add_row(history, rows, customer, tests); });
  if (tests.size() == 0)
    return absl::FailedPreconditionError(
        "nobody consumes anything in the part to judge on (its event types: " + types_seen(dataset, in_part) +
        "), so there is nothing to compare answers with; let a type consume, or use --validation none");
  return tests.size() > limit ? sampled(tests, limit, seed) : tests;
}

}  // namespace bouquet::training
