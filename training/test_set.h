// Whom an evaluation asks about: what was known of each customer before, and what each did afterwards. All rows are the model's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/answer_mix.h"
#include "engine/artifact.h"
#include "engine/event_rules.h"
#include "training/dataset.h"
#include "training/interactions_builder.h"

namespace bouquet::training {

// Histories by columns, borrowed from a training set or an artifact; row r's entries stand at offsets[r] .. offsets[r + 1].
struct HistoriesView {
  std::span<const int64_t> offsets;   // [rows + 1]
  std::span<const int32_t> items;     // ascending within a row
  std::span<const uint8_t> consumed;  // excluded from what is new
  std::span<const float> repurchase;  // the repurchase head's score
  std::span<const int32_t> counts;    // how often it was bought; or empty: not known

  static HistoriesView of(const TrainingSet& set, std::span<const int32_t> counts = {});
  static HistoriesView of(const Histories& histories);

  int32_t rows() const { return static_cast<int32_t>(offsets.empty() ? 0 : offsets.size() - 1); }
  // Row kNone is empty.
  HistoryView row(int32_t r) const;
  std::span<const int32_t> counts_of(int32_t r) const;
};

struct TestSet {
  std::vector<int32_t> customers;         // [n] row of a history, kNone: nothing was known of the customer
  std::vector<int64_t> offsets{0};        // [n + 1] of `relevant`
  std::vector<int32_t> relevant;          // items that the customer consumed in the part, ascending; those the model knows
  std::vector<int32_t> unknown_relevant;  // [n] how many more the model does not know
  std::vector<CustomerIndex> asked;       // [n] the customer in the data set that the tests were made of; or empty

  int32_t size() const { return static_cast<int32_t>(customers.size()); }
  std::span<const int32_t> relevant_of(int32_t t) const {
    const auto from = static_cast<size_t>(offsets[static_cast<size_t>(t)]), to = static_cast<size_t>(offsets[static_cast<size_t>(t) + 1]);
    return std::span(relevant).subspan(from, to - from);
  }
};

// From the data set's numbering to the model's: kNone for what the model does not know.
struct RowMaps {
  std::vector<int32_t> customers;  // [dataset customers]
  std::vector<int32_t> items;      // [dataset items]

  static RowMaps of(const Dataset& dataset, const TrainingSet& set);
};

// Leaves the relevant items that are in `among` and the customers who have some. No words: everything.
TestSet restricted(const TestSet& tests, BitmapView among);

inline constexpr int32_t kMaxTestCustomers = 100'000;

// One row per customer who consumes something in the events with in_part[e] != 0 (empty: all), merged by `rules`. A customer counts
// however little the model knows of either. Of more than `limit` customers an even sample by `seed` is taken. Errors:
// FailedPrecondition (nobody consumes anything; says which event types there are).
absl::StatusOr<TestSet> build_test_set(const Dataset& dataset, std::span<const uint8_t> in_part, const EventRules& rules,
                                       const RowMaps& rows, int32_t limit = kMaxTestCustomers, uint64_t seed = 1);

}  // namespace bouquet::training
