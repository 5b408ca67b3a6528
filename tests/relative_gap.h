// How far two lists of numbers are apart.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <span>

namespace bouquet {

inline double squared_norm(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += double{value} * double{value};
  return sum;
}

// |found - right| / |right| over all elements; no number, if `right` is zero.
inline double relative_gap(std::span<const float> found, std::span<const float> right) {
  EXPECT_EQ(found.size(), right.size());
  double gap = 0;
  for (size_t i = 0; i < right.size(); ++i) gap += std::pow(double{found[i]} - double{right[i]}, 2);
  return std::sqrt(gap / squared_norm(right));
}

}  // namespace bouquet
