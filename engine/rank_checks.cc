#include "engine/rank_checks.h"

#include <cmath>
#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

std::string of_query(int64_t q) { return "query " + std::to_string(q) + ": "; }

std::string outside(const char* what, int64_t value, int64_t first, int64_t last) {
  return std::string(what) + " is " + std::to_string(value) + ", outside " + std::to_string(first) + " to " + std::to_string(last);
}

absl::Status check_asking(const QueryBatch& queries, const RankerShape& shape) {
  if (queries.vectors.rows > 0 && !queries.rows.empty())
    return wrong_usage("queries are given both as rows and as vectors; give one of them");
  for (size_t q = 0; q < queries.rows.size(); ++q)
    if (queries.rows[q] < 0 || queries.rows[q] >= shape.asking_rows)
      return wrong_usage(of_query(static_cast<int64_t>(q)) + outside("its row", queries.rows[q], 0, shape.asking_rows - 1));
  if (queries.vectors.rows < 0) return wrong_usage("the number of query vectors is negative");
  if (queries.vectors.rows == 0) return absl::OkStatus();
  if (queries.vectors.cols != shape.dimension)
    return wrong_usage("query vectors have " + std::to_string(queries.vectors.cols) + " numbers; the model has dimension " +
                       std::to_string(shape.dimension));
  if (queries.vectors.is_nowhere()) return wrong_usage("the query vectors are a null pointer");
  for (int64_t q = 0; q < queries.vectors.rows; ++q)
    for (const float x : queries.vectors.row(q))
      if (!std::isfinite(x)) return wrong_usage(of_query(q) + "its vector holds a number that is not finite");
  return absl::OkStatus();
}

absl::Status check_exclusions(const ListsView& lists, int64_t n, const RankerShape& shape) {
  if (lists.offsets.empty()) {
    if (!lists.indices.empty()) return wrong_usage("exclusions have indices and no offsets");
    return absl::OkStatus();
  }
  if (static_cast<int64_t>(lists.offsets.size()) != n + 1)
    return wrong_usage("exclusions have " + std::to_string(lists.offsets.size()) + " offsets; " + std::to_string(n) + " queries need " +
                       std::to_string(n + 1));
  const auto count = static_cast<int64_t>(lists.indices.size());
  if (lists.offsets.front() < 0 || lists.offsets.back() > count) return wrong_usage("the offsets of the exclusions leave their indices");
  for (int64_t q = 0; q < n; ++q)
    if (lists.offsets[static_cast<size_t>(q)] > lists.offsets[static_cast<size_t>(q) + 1])
      return wrong_usage(of_query(q) + "the offsets of its exclusions descend");
  for (int64_t q = 0; q < n; ++q) {
    int64_t previous = -1;
    for (const int32_t row : lists.list(q)) {
      if (row < 0 || row >= shape.ranked_rows) return wrong_usage(of_query(q) + outside("an excluded row", row, 0, shape.ranked_rows - 1));
      if (row <= previous) return wrong_usage(of_query(q) + "its exclusions do not ascend at row " + std::to_string(row));
      previous = row;
    }
  }
  return absl::OkStatus();
}

absl::Status check_filters(const QueryBatch& queries, int64_t n, const RankerShape& shape) {
  const auto words = static_cast<size_t>(bitmap_word_count(shape.ranked_rows));
  for (size_t f = 0; f < queries.filters.size(); ++f)
    if (queries.filters[f].words.size() != words)
      return wrong_usage("filter " + std::to_string(f) + " has " + std::to_string(queries.filters[f].words.size()) + " words; " +
                         std::to_string(shape.ranked_rows) + " rows need " + std::to_string(words));
  if (queries.filter_of.empty()) return absl::OkStatus();
  if (static_cast<int64_t>(queries.filter_of.size()) != n)
    return wrong_usage("filter_of has " + std::to_string(queries.filter_of.size()) + " entries for " + std::to_string(n) + " queries");
  for (int64_t q = 0; q < n; ++q) {
    const int32_t f = queries.filter_of[static_cast<size_t>(q)];
    if (f != kNone && (f < 0 || f >= static_cast<int64_t>(queries.filters.size())))
      return wrong_usage(of_query(q) + "filter " + std::to_string(f) + " does not exist; there are " +
                         std::to_string(queries.filters.size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status validate(const RankerLimits& limits) {
  if (limits.max_batch < 1) return wrong_usage("max_batch is " + std::to_string(limits.max_batch) + "; it must be at least 1");
  if (limits.max_k < 1 || limits.max_k > kMaxK) return wrong_usage(outside("max_k", limits.max_k, 1, kMaxK));
  return absl::OkStatus();
}

absl::Status validate(const QueryBatch& queries, const RankedRows& ranked, const RankerShape& shape) {
  const int64_t n = query_count(queries);
  if (n > shape.limits.max_batch)
    return wrong_usage("a batch of " + std::to_string(n) + " queries; this ranker takes " + std::to_string(shape.limits.max_batch));
  if (queries.k < 1 || queries.k > shape.limits.max_k) return wrong_usage(outside("k", queries.k, 1, shape.limits.max_k));
  if (static_cast<int64_t>(ranked.rows.size()) != n * queries.k || static_cast<int64_t>(ranked.scores.size()) != n * queries.k)
    return wrong_usage("the answer has room for " + std::to_string(ranked.rows.size()) + " rows and " +
                       std::to_string(ranked.scores.size()) + " scores; " + std::to_string(n) + " queries of " + std::to_string(queries.k) +
                       " need " + std::to_string(n * queries.k));
  if (absl::Status s = check_asking(queries, shape); !s.ok()) return s;
  if (absl::Status s = check_exclusions(queries.exclusions, n, shape); !s.ok()) return s;
  return check_filters(queries, n, shape);
}

}  // namespace bouquet
