#include "engine/initial_factors.h"

#include <cmath>
#include <numbers>

#include "engine/counter_random.h"

namespace bouquet {
namespace {

double unit(uint64_t bits) { return (static_cast<double>(bits >> 11) + 0.5) * 0x1.0p-53; }  // in (0, 1)

}  // namespace

void fill_initial_factors(uint64_t seed, FactorSide side, int64_t first_row, MatrixView<float> factors) {
  const uint64_t stream = mix_bits(mix_bits(seed) ^ static_cast<uint64_t>(side));
  const double deviation = 0.1 / std::sqrt(static_cast<double>(factors.cols));
  for (int64_t r = 0; r < factors.rows; ++r) {
    const uint64_t row_key = mix_bits(stream ^ mix_bits(static_cast<uint64_t>(first_row + r)));
    for (int64_t c = 0; c < factors.cols; ++c) {
      const uint64_t key = mix_bits(row_key ^ static_cast<uint64_t>(c));  // Box-Muller, one normal number from two uniform ones
      const double radius = std::sqrt(-2 * std::log(unit(key)));
      factors.row(r)[static_cast<size_t>(c)] =
          static_cast<float>(deviation * radius * std::cos(2 * std::numbers::pi * unit(mix_bits(key))));
    }
  }
}

}  // namespace bouquet
