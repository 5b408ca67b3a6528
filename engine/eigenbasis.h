// The eigenbasis of a symmetric matrix, by LAPACK in double.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace bouquet {

struct Eigenbasis {
  std::vector<double> values;   // [d], ascending
  std::vector<double> vectors;  // [d, d]: row k is the k-th eigenvector
};

// Nothing if `matrix` [d, d] holds a number that is not finite, or LAPACK does not converge. Uses one thread. Thread-safe.
std::optional<Eigenbasis> eigenbasis_of(std::span<const float> matrix, int32_t d);

}  // namespace bouquet
