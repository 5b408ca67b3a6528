#include "training/number_sample.h"

#include <algorithm>
#include <cmath>

namespace bouquet::training {
namespace {

constexpr double kLargest = 1e150;        // squares of larger numbers overflow; they are outliers anyway
constexpr double kMostDeviations = 1e29;  // within what a schema takes

// splitmix64's finaliser (Steele et al. 2014): neighbouring keys get unrelated hashes.
uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ x >> 27) * 0x94d049bb133111ebull;
  return x ^ x >> 31;
}

}  // namespace

void NumberSample::add(uint64_t key, double value) {
  const uint64_t hash = mixed(key);
  if (hash > threshold_) return;
  kept_.emplace_back(hash, std::clamp(value, -kLargest, kLargest));
  while (kept_.size() > most_) {
    threshold_ /= 2;
    std::erase_if(kept_, [&](const auto& entry) { return entry.first > threshold_; });
  }
}

NumberTransform NumberSample::fit() const {
  NumberTransform t;
  if (kept_.empty()) return t;
  std::vector<double> sorted;
  for (const auto& [hash, value] : kept_) sorted.push_back(value);
  std::sort(sorted.begin(), sorted.end());
  const double last = static_cast<double>(sorted.size() - 1);
  t.low = sorted[static_cast<size_t>(std::llround(0.001 * last))];
  t.high = sorted[static_cast<size_t>(std::llround(0.999 * last))];
  if (t.low == t.high) t.low = sorted.front(), t.high = sorted.back();
  const auto count = static_cast<double>(sorted.size());
  for (const double value : sorted) t.mean += std::clamp(value, t.low, t.high) / count;
  double variance = 0;
  for (const double value : sorted) {
    const double off = std::clamp(value, t.low, t.high) - t.mean;
    variance += off * off / count;
  }
  const double most = std::max(t.high - t.mean, t.mean - t.low);
  t.deviation = std::sqrt(variance);
  if (t.deviation == 0 || most / t.deviation > kMostDeviations) t.deviation = std::max(1.0, most);
  return t;
}

}  // namespace bouquet::training
