// A fixed orthogonal map that spreads every vector's energy over all coordinates: inner products stay, the largest entry becomes
// small relative to the norm, and rounding to 8 bits loses little. Random signs, then Walsh-Hadamard.
#pragma once

#include <span>
#include <vector>

namespace bouquet::cpu {

class Rotation {
 public:
  explicit Rotation(int dimension);

  // rotated = H x, both [d]. The rounding error is below 1e-13 |x|.
  void apply(std::span<const float> x, std::span<double> rotated) const;

 private:
  int width_;                  // largest power of two that is not above d
  std::vector<double> signs_;  // [2 d]: of the first and the second pass, times 1 / sqrt(width)
};

}  // namespace bouquet::cpu
