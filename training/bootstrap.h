// 95 % intervals of means over customers, by resampling customers (Efron 1979, percentile interval).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bouquet::training {

struct Interval {
  double value = 0;          // the mean over all customers
  double low = 0, high = 0;  // the 2.5th and 97.5th percentile of the resampled means
};

struct BootstrapOptions {
  int32_t resamples = 2000;
  uint64_t seed = 1;
  int32_t threads = 1;
};

// One interval per column; a column holds one value per customer and all have the same length. Every resample draws the same
// customers for all columns: the interval of a column of differences is the paired one. No customers: all zero. The result does not
// depend on `threads`.
std::vector<Interval> bootstrap_means(std::span<const std::span<const float>> columns, const BootstrapOptions& options);

}  // namespace bouquet::training
