#include "cpu_fallback/query_search.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <utility>

#include "cpu_fallback/exact_scores.h"
#include "engine/score.h"

namespace bouquet::cpu {
namespace {

constexpr int32_t kFewestFound = 64;  // scoring fewer at a time is not worth the trouble
constexpr float kNothing = -std::numeric_limits<float>::infinity();

bool better(const Hit& a, const Hit& b) { return ranks_before(a.score, a.row, b.score, b.row); }

int32_t waiting_limit(int32_t k) { return std::max(kFewestFound, k); }

}  // namespace

QuerySearch::QuerySearch(const RankTable& table, int32_t max_k) : table_(table) {
  const auto found = static_cast<size_t>(waiting_limit(max_k) + kBlockRows + 1);
  rotated_.resize(static_cast<size_t>(table.rows.cols));
  codes_.resize(static_cast<size_t>(table.shape.padded_dimension));
  found_.resize(found);
  rows_.resize(found);
  scores_.resize(found + static_cast<size_t>(max_k));
  best_.reserve(found + static_cast<size_t>(max_k));
}

void QuerySearch::begin(const Query& query) {
  query_ = query;
  code_ = encode_query(table_, query.vector, rotated_, codes_);
  eligibility_.reset(query.excluded, query.filter);
  full_ = waiting_limit(query.k);
  found_count_ = 0;
  best_.clear();
  threshold_ = kNothing;
  reach_ = kNothing;
}

void QuerySearch::raise(float threshold) {
  if (!(threshold > threshold_)) return;
  threshold_ = threshold;
  // Rounding to float is monotonic: a sum that is not even the next smaller float cannot round to the threshold.
  reach_ = std::nextafter(threshold, kNothing);
  if (query_.shared_threshold == nullptr) return;
  float known = query_.shared_threshold->load(std::memory_order_relaxed);
  while (known < threshold && !query_.shared_threshold->compare_exchange_weak(known, threshold, std::memory_order_relaxed)) {
  }
}

void QuerySearch::meet_others() {
  if (query_.shared_threshold != nullptr) raise(query_.shared_threshold->load(std::memory_order_relaxed));
}

double QuerySearch::estimate(const Found& f) const { return code_.scale * block_of(f).scale * f.score; }

int32_t QuerySearch::integer_threshold(const RankBlock& block) const {
  constexpr double kLimit = 1 << 30;  // above any integer score
  if (!can_reach(block.norm)) return 1 << 30;
  const double exact = (reach_ - error(block)) * code_.inverse_scale * block.inverse_scale;
  // 1e-3 of a unit is far more than the rounding of this line: integer scores are below 2^20.
  return static_cast<int32_t>(std::clamp(std::floor(exact - 1e-3), -kLimit, kLimit));
}

void QuerySearch::admit(int32_t count) {
  const auto row_count = static_cast<int32_t>(table_.rows.rows);
  for (int32_t i = found_count_; i < count; ++i) {
    const Found f = found_[static_cast<size_t>(i)];
    if (f.position >= row_count) continue;  // padding of the last block
    if (eligibility_.allows(table_.order[static_cast<size_t>(f.position)])) found_[static_cast<size_t>(found_count_++)] = f;
  }
}

// k rows are known by score or by a lower bound: the smallest of those is a threshold.
void QuerySearch::raise_by_bounds() {
  const auto k = static_cast<size_t>(query_.k);
  size_t count = 0;
  for (const Hit& hit : best_) scores_[count++] = hit.score;
  for (int32_t i = 0; i < found_count_; ++i) {
    const Found& f = found_[static_cast<size_t>(i)];
    scores_[count++] = static_cast<float>(estimate(f) - error(block_of(f)));
  }
  if (count < k) return;
  const auto kth = scores_.begin() + static_cast<std::ptrdiff_t>(k) - 1;
  std::nth_element(scores_.begin(), kth, scores_.begin() + static_cast<std::ptrdiff_t>(count), std::greater<>());
  raise(*kth);
}

void QuerySearch::drop_below_reach() {
  int32_t kept = 0;
  for (int32_t i = 0; i < found_count_; ++i) {
    const Found& f = found_[static_cast<size_t>(i)];
    if (estimate(f) + error(block_of(f)) * kSlack >= reach_) found_[static_cast<size_t>(kept++)] = f;
  }
  found_count_ = kept;
}

void QuerySearch::keep_best() {
  const auto k = static_cast<size_t>(query_.k);
  if (best_.size() < k) return;
  std::nth_element(best_.begin(), best_.begin() + static_cast<std::ptrdiff_t>(k) - 1, best_.end(), better);
  best_.resize(k);
  raise(best_.back().score);
}

void QuerySearch::score_found() {
  if (found_count_ == 0) return;
  if (found_count_ >= kFewestFound / 2) raise_by_bounds();
  drop_below_reach();
  const auto count = static_cast<size_t>(found_count_);
  for (size_t i = 0; i < count; ++i) rows_[i] = table_.order[static_cast<size_t>(found_[i].position)];
  exact_scores(query_.vector.data(), table_.rows, {rows_.data(), count}, scores_.data());
  for (size_t i = 0; i < count; ++i)
    if (scores_[i] >= threshold_) best_.push_back({scores_[i], rows_[i]});
  found_count_ = 0;
  keep_best();
}

void QuerySearch::score_filtered_rows() {
  const auto flush = [&](size_t count) {
    exact_scores(query_.vector.data(), table_.rows, {rows_.data(), count}, scores_.data());
    for (size_t i = 0; i < count; ++i)
      if (scores_[i] >= threshold_) best_.push_back({scores_[i], rows_[i]});
    keep_best();
  };
  const std::span<const uint64_t> words = query_.filter->words;
  const auto full = static_cast<size_t>(full_);
  size_t count = 0;
  for (size_t w = 0; w < words.size(); ++w)
    for (uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
      const int64_t row = static_cast<int64_t>(w) * 64 + std::countr_zero(bits);
      if (row >= table_.rows.rows) break;
      if (!eligibility_.allows(static_cast<int32_t>(row))) continue;
      rows_[count++] = static_cast<int32_t>(row);
      if (count == full) flush(std::exchange(count, 0));
    }
  flush(count);
}

void QuerySearch::take_first_rows() {
  for (int32_t row = 0; row < table_.rows.rows && best_.size() < static_cast<size_t>(query_.k); ++row)
    if (eligibility_.allows(row)) best_.push_back({0, row});
}

void QuerySearch::add_hits(std::span<const Hit> hits) {
  best_.insert(best_.end(), hits.begin(), hits.end());
  keep_best();
}

std::span<const Hit> QuerySearch::sorted() {
  std::sort(best_.begin(), best_.end(), better);
  return best_;
}

}  // namespace bouquet::cpu
