#include "cpu_fallback/rotation.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace bouquet::cpu {
namespace {

void walsh_hadamard(double* x, int width) {
  for (int half = 1; half < width; half *= 2)
    for (int begin = 0; begin < width; begin += 2 * half)
      for (int j = begin; j < begin + half; ++j) {
        const double a = x[j], b = x[j + half];
        x[j] = a + b;
        x[j + half] = a - b;
      }
}

}  // namespace

Rotation::Rotation(int dimension) : width_(static_cast<int>(std::bit_floor(static_cast<unsigned>(dimension)))) {
  const double scale = 1 / std::sqrt(static_cast<double>(width_));
  uint64_t state = 0x9e3779b97f4a7c15ull;
  for (int j = 0; j < 2 * dimension; ++j) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    // A pass that covers only a part of the coordinates leaves the others as they are.
    const bool inside = j < dimension ? j < width_ : j - dimension >= dimension - width_;
    signs_.push_back((state >> 63 ? -1 : 1) * (inside ? scale : 1));
  }
}

void Rotation::apply(std::span<const float> x, std::span<double> rotated) const {
  const size_t d = x.size();
  for (size_t j = 0; j < d; ++j) rotated[j] = static_cast<double>(x[j]) * signs_[j];
  walsh_hadamard(rotated.data(), width_);
  if (static_cast<size_t>(width_) == d) return;
  // Two overlapping passes reach every coordinate where d is no power of two.
  for (size_t j = 0; j < d; ++j) rotated[j] *= signs_[d + j];
  walsh_hadamard(rotated.data() + (d - static_cast<size_t>(width_)), width_);
}

}  // namespace bouquet::cpu
