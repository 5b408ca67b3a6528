// The search for one query's best rows: rows whose bound reaches the threshold come in, are scored exactly from time to time, and
// the k best of them raise the threshold (docs/algorithms/ranking.md).
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "cpu_fallback/eligibility.h"
#include "cpu_fallback/rank_table.h"

namespace bouquet::cpu {

struct Hit {
  float score;
  int32_t row;
};

class QuerySearch {
 public:
  // Sized for any k up to max_k; nothing is allocated afterwards.
  QuerySearch(const RankTable& table, int32_t max_k);

  struct Query {
    std::span<const float> vector;  // [d]
    std::span<const int32_t> excluded;
    const BitmapView* filter = nullptr;  // or null
    int32_t k = 1;
    std::atomic<float>* shared_threshold = nullptr;  // where searches of one query in other rows meet, or null
  };
  void begin(const Query& query);

  // Whether a row of norm at most `norm` can still be wanted.
  bool can_reach(double norm) const { return code_.norm * norm * kSlack >= reach_; }
  // The smallest integer score with which a row of `block` can be wanted.
  int32_t integer_threshold(const RankBlock& block) const;
  // Takes over what others found out about the threshold.
  void meet_others();

  std::span<const uint8_t> codes() const { return codes_; }
  Found* found() { return found_.data(); }
  int32_t found_count() const { return found_count_; }
  // Rows [found_count(), count) were appended to found(): keeps those that may be returned.
  void admit(int32_t count);
  // Whether enough rows wait to be scored.
  bool is_full() const { return found_count_ >= full_; }
  // Scores what waits and keeps the k best.
  void score_found();

  // Instead of a scan: scores every row that the filter lets through.
  void score_filtered_rows();
  // Instead of a scan, for a vector of zeros: every score is zero, the lowest rows win.
  bool is_zero() const { return code_.norm == 0; }
  void take_first_rows();

  // The best rows so far, at most k of them, in the order of an answer. Call score_found() before.
  std::span<const Hit> sorted();
  void add_hits(std::span<const Hit> hits);

 private:
  static constexpr double kSlack = 1 + 1e-9;

  class Bounds;
  void raise_by_bounds();
  void drop_below_reach();
  void keep_best();
  void raise(float threshold);
  double error(const RankBlock& block) const { return code_.error * block.norm + code_.coded_norm * block.error; }

  const RankTable& table_;
  Query query_;
  QueryCode code_;
  Eligibility eligibility_;
  int32_t full_ = 0;
  int32_t found_count_ = 0;
  float threshold_ = 0;  // at least k eligible rows are known to score this much; -infinity until then
  double reach_ = 0;     // a double sum below this rounds to a score below threshold_
  std::vector<double> rotated_;
  std::vector<uint8_t> codes_;
  std::vector<Found> found_;
  std::vector<float> scores_;
  std::vector<int32_t> rows_;
  std::vector<Hit> best_;
};

}  // namespace bouquet::cpu
