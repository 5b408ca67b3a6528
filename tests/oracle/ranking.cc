#include "tests/oracle/ranking.h"

#include <algorithm>
#include <limits>

namespace bouquet::oracle {
namespace {

struct Candidate {
  float score;
  int32_t row;
};

float scored(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t j = 0; j < a.size(); ++j) sum += double{a[j]} * double{b[j]};
  return static_cast<float>(sum);
}

std::vector<bool> may_be_returned(const QueryBatch& queries, int64_t query, int64_t row_count) {
  std::vector<bool> may(static_cast<size_t>(row_count), true);
  for (const int32_t row : queries.exclusions.list(query)) may[static_cast<size_t>(row)] = false;
  const int32_t filter = queries.filter_of.empty() ? kNone : queries.filter_of[static_cast<size_t>(query)];
  if (filter == kNone) return may;
  for (int64_t row = 0; row < row_count; ++row)
    if (!queries.filters[static_cast<size_t>(filter)].test(row)) may[static_cast<size_t>(row)] = false;
  return may;
}

}  // namespace

Ranking rank(MatrixView<const float> asking, MatrixView<const float> ranked, const QueryBatch& queries) {
  const bool by_row = !queries.rows.empty();
  const int64_t n = by_row ? static_cast<int64_t>(queries.rows.size()) : queries.vectors.rows;
  const auto k = static_cast<size_t>(queries.k);
  Ranking answer{std::vector<int32_t>(static_cast<size_t>(n) * k, kNone),
                 std::vector<float>(static_cast<size_t>(n) * k, -std::numeric_limits<float>::infinity())};
  for (int64_t q = 0; q < n; ++q) {
    const auto vector = by_row ? asking.row(queries.rows[static_cast<size_t>(q)]) : queries.vectors.row(q);
    const std::vector<bool> may = may_be_returned(queries, q, ranked.rows);
    std::vector<Candidate> candidates;
    for (int32_t r = 0; r < ranked.rows; ++r)
      if (may[static_cast<size_t>(r)]) candidates.push_back({scored(vector, ranked.row(r)), r});
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    for (size_t j = 0; j < std::min(k, candidates.size()); ++j) {
      answer.rows[static_cast<size_t>(q) * k + j] = candidates[j].row;
      answer.scores[static_cast<size_t>(q) * k + j] = candidates[j].score;
    }
  }
  return answer;
}

}  // namespace bouquet::oracle
