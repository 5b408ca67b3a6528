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

// Reorders `values`; k is at most their number.
float kth_largest(std::span<float> values, size_t k) {
  if (k * 8 > values.size()) {
    const auto kth = values.begin() + static_cast<std::ptrdiff_t>(k) - 1;
    std::nth_element(values.begin(), kth, values.end(), std::greater<>());
    return *kth;
  }
  // Few of many: a heap with the smallest of the k largest in front is rarely touched.
  const std::span<float> heap = values.first(k);
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  for (const float value : values.subspan(k)) {
    if (value <= heap.front()) continue;
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.back() = value;
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  }
  return heap.front();
}

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

// Lower and upper bounds of the double sums behind found rows, which mostly come block by block.
class QuerySearch::Bounds {
 public:
  explicit Bounds(const QuerySearch& search) : search_(search) {}

  void enter_block_of(const Found& f) {
    if (f.position / kBlockRows == block_) return;
    block_ = f.position / kBlockRows;
    const RankBlock& block = search_.table_.blocks[static_cast<size_t>(block_)];
    scale_ = search_.code_.scale * block.scale;
    error_ = search_.error(block) * kSlack;
  }
  double lower(const Found& f) const { return scale_ * f.score - error_; }
  double upper(const Found& f) const { return scale_ * f.score + error_; }

 private:
  const QuerySearch& search_;
  int32_t block_ = -1;
  double scale_ = 0, error_ = 0;
};

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
  size_t count = 0;
  for (const Hit& hit : best_) scores_[count++] = hit.score;
  Bounds bounds(*this);
  for (int32_t i = 0; i < found_count_; ++i) {
    const Found& f = found_[static_cast<size_t>(i)];
    bounds.enter_block_of(f);
    scores_[count++] = static_cast<float>(bounds.lower(f));
  }
  if (count >= static_cast<size_t>(query_.k)) raise(kth_largest({scores_.data(), count}, static_cast<size_t>(query_.k)));
}

void QuerySearch::drop_below_reach() {
  int32_t kept = 0;
  Bounds bounds(*this);
  for (int32_t i = 0; i < found_count_; ++i) {
    const Found& f = found_[static_cast<size_t>(i)];
    bounds.enter_block_of(f);
    if (bounds.upper(f) >= reach_) found_[static_cast<size_t>(kept++)] = f;
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
