// Asking a ranker, with guard bands around what it writes.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <random>
#include <vector>

#include "engine/backend.h"
#include "tests/conformance/backend_test.h"
#include "tests/oracle/ranking.h"

namespace bouquet::conformance {

inline constexpr int32_t kUntouchedRow = -77;
inline constexpr float kUntouchedScore = 77.5f;

struct Answer {
  absl::Status status;
  Guarded<int32_t> rows;
  Guarded<float> scores;

  explicit Answer(size_t size) : rows(size, kUntouchedRow), scores(size, kUntouchedScore) {}
  bool untouched() const { return rows.untouched() && scores.untouched(); }
};

inline size_t batch_size(const QueryBatch& queries) {
  return queries.vectors.rows > 0 ? static_cast<size_t>(queries.vectors.rows) : queries.rows.size();
}

inline Answer ask(Ranker& ranker, const QueryBatch& queries) {
  Answer answer(batch_size(queries) * static_cast<size_t>(std::max(queries.k, 0)));
  answer.status = ranker.rank(queries, {answer.rows.span(), answer.scores.span()});
  EXPECT_TRUE(answer.rows.bands_intact() && answer.scores.bands_intact());
  return answer;
}

// Places where an answer differs from the right one, by row or by the bits of its score.
inline int count_differences(std::span<const int32_t> rows, std::span<const float> scores, const oracle::Ranking& right) {
  int differences = 0;
  for (size_t i = 0; i < right.rows.size(); ++i)
    differences += rows[i] != right.rows[i] || std::bit_cast<uint32_t>(scores[i]) != std::bit_cast<uint32_t>(right.scores[i]);
  return differences;
}

inline void expect_as_oracle(Ranker& ranker, MatrixView<const float> asking, MatrixView<const float> ranked, const QueryBatch& queries) {
  Answer answer = ask(ranker, queries);
  ASSERT_TRUE(answer.status.ok()) << message_of(answer.status);
  const oracle::Ranking right = oracle::rank(asking, ranked, queries);
  EXPECT_EQ(count_differences(answer.rows.span(), answer.scores.span(), right), 0) << "of " << right.rows.size() << " places";
}

// Exclusions and filters that differ from query to query: none, few, many, all; filters that pass half, one in fifty, none.
class MixedRestrictions {
 public:
  MixedRestrictions(int64_t queries, int32_t ranked_rows, uint64_t seed) : random_(seed) {
    for (const double share : {0.5, 0.02, 0.0}) {
      words_.emplace_back(static_cast<size_t>(bitmap_word_count(ranked_rows)));
      for (int32_t r = 0; r < ranked_rows; ++r)
        if (chance(share)) words_.back()[static_cast<size_t>(r) / 64] |= uint64_t{1} << (r % 64);
      // Bits past the last row are ignored.
      if (ranked_rows % 64 != 0) words_.back().back() |= ~uint64_t{0} << (ranked_rows % 64);
    }
    for (const auto& w : words_) filters_.push_back({w});
    for (int64_t q = 0; q < queries; ++q) {
      const double shares[] = {0, 0.01, 0.3, 1, 0.9};
      for (int32_t r = 0; r < ranked_rows; ++r)
        if (chance(shares[q % 5])) excluded_.push_back(r);
      offsets_.push_back(static_cast<int64_t>(excluded_.size()));
      filter_of_.push_back(static_cast<int32_t>((q * 7 + 3) % 4) - 1);
    }
  }

  void apply(QueryBatch& queries) const {
    queries.exclusions = {offsets_, excluded_};
    queries.filters = filters_;
    queries.filter_of = filter_of_;
  }

 private:
  bool chance(double share) { return std::uniform_real_distribution<double>(0, 1)(random_) < share; }

  std::mt19937_64 random_;
  std::vector<std::vector<uint64_t>> words_;
  std::vector<BitmapView> filters_;
  std::vector<int64_t> offsets_{0};
  std::vector<int32_t> excluded_, filter_of_;
};

}  // namespace bouquet::conformance
