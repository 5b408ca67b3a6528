// A bounded sample of numbers, and the standardisation that is fitted on it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/attribute_schema.h"

namespace bouquet::training {

// Which values are kept depends on their keys alone, not on the order in which they come.
class NumberSample {
 public:
  // At most `most` values are kept; up to so many, all are.
  explicit NumberSample(size_t most) : most_(most) {}
  void add(uint64_t key, double value);

  // Limits at the percentiles 0.1 and 99.9 (the nearest ranks), mean and standard deviation within them. Where the limits are equal, the
  // smallest and largest value take their place; where those are too, the deviation is 1.
  NumberTransform fit() const;

 private:
  size_t most_;
  uint64_t threshold_ = UINT64_MAX;                // hashes up to it are kept
  std::vector<std::pair<uint64_t, double>> kept_;  // hash of the key, value
};

}  // namespace bouquet::training
