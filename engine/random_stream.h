// A stream of random numbers for one row, one customer, one item: the same whatever was drawn elsewhere. Own distributions, because
// those of the standard library differ between libraries.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "engine/counter_random.h"

namespace bouquet {

class RandomStream {
 public:
  RandomStream(uint64_t seed, uint64_t stream) : state_(random_bits(seed, stream)) {}

  uint64_t bits() {  // SplitMix64
    const uint64_t value = mix_bits(state_);
    state_ += 0x9e3779b97f4a7c15u;
    return value;
  }
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }  // in [0, 1)
  int64_t below(int64_t bound) { return static_cast<int64_t>(unit() * static_cast<double>(bound)); }
  bool chance(double probability) { return unit() < probability; }
  double normal() {  // Box and Muller 1958, one of the two
    const double radius = std::sqrt(-2 * std::log(1 - unit()));
    return radius * std::cos(2 * std::numbers::pi * unit());
  }

 private:
  uint64_t state_;
};

}  // namespace bouquet
