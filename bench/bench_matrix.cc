#include "bench/bench_matrix.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>
#include <utility>
#include <vector>

#include "engine/errors.h"

namespace bouquet::bench {
namespace {

constexpr double kActivitySpread = 1.1;  // sigma of the log-normal; MovieLens-20M has about this
constexpr double kPopularityExponent = 0.9;
constexpr double kPopularityShift = 20;  // flattens the head

using Random = std::mt19937_64;

double uniform(Random& random) { return (static_cast<double>(random() >> 11) + 0.5) * 0x1.0p-53; }

double normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(uniform(random)));
  return radius * std::cos(2 * std::numbers::pi * uniform(random));
}

std::vector<int64_t> history_lengths(const MatrixShape& shape, Random& random) {
  std::vector<double> activity(static_cast<size_t>(shape.customers));
  double sum = 0;
  for (double& a : activity) sum += a = std::exp(kActivitySpread * normal(random));
  std::vector<int64_t> lengths;
  for (const double a : activity) {
    const auto wanted = static_cast<int64_t>(std::lround(a / sum * static_cast<double>(shape.pairs)));
    lengths.push_back(std::clamp<int64_t>(wanted, 1, std::max(shape.items / 4, 1)));
  }
  return lengths;
}

std::vector<double> cumulative_popularity(int32_t items) {
  std::vector<double> sums(static_cast<size_t>(items));
  double sum = 0;
  for (size_t i = 0; i < sums.size(); ++i) sums[i] = sum += std::pow(static_cast<double>(i) + kPopularityShift, -kPopularityExponent);
  return sums;
}

}  // namespace

absl::StatusOr<SparseRows> made_up_matrix(const MatrixShape& shape, uint64_t seed) {
  if (shape.customers < 1 || shape.items < 1 || shape.pairs < shape.customers)
    return wrong_usage("--customers and --items must be at least 1, and --pairs at least --customers");
  Random random(seed);
  const std::vector<int64_t> lengths = history_lengths(shape, random);
  const std::vector<double> popularity = cumulative_popularity(shape.items);
  SparseRows rows;
  rows.column_count = shape.items;
  std::vector<int32_t> drawn;
  for (const int64_t length : lengths) {
    drawn.clear();
    while (static_cast<int64_t>(drawn.size()) < length) {
      for (int64_t missing = length - static_cast<int64_t>(drawn.size()); missing > 0; --missing) {
        const auto at = std::ranges::upper_bound(popularity, uniform(random) * popularity.back());
        drawn.push_back(static_cast<int32_t>(std::min<int64_t>(at - popularity.begin(), shape.items - 1)));
      }
      std::ranges::sort(drawn);
      drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
    }
    rows.columns.insert(rows.columns.end(), drawn.begin(), drawn.end());
    rows.offsets.push_back(static_cast<int64_t>(rows.columns.size()));
  }
  rows.confidences.assign(rows.columns.size(), 1.0f);
  return rows;
}

absl::StatusOr<SparseRows> read_matrix(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return missing_input("cannot open " + path);
  int32_t shape[2] = {};
  int64_t pairs = 0;
  const auto read = [&](auto* to, size_t count) {
    file.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(count * sizeof(*to)));
    return static_cast<bool>(file);
  };
  if (!read(shape, 2) || !read(&pairs, 1) || shape[0] < 0 || shape[1] < 0 || pairs < 0) return bad_input(path + " is not a matrix file");
  std::error_code error;
  const auto expected = 16 + 8 * (static_cast<uint64_t>(shape[0]) + 1) + 4 * static_cast<uint64_t>(pairs);
  if (std::filesystem::file_size(path, error) != expected || error)
    return bad_input(path + " does not have the " + std::to_string(expected) + " bytes that its header promises");
  SparseRows rows;
  rows.column_count = shape[1];
  rows.offsets.resize(static_cast<size_t>(shape[0]) + 1);
  rows.columns.resize(static_cast<size_t>(pairs));
  if (!read(rows.offsets.data(), rows.offsets.size()) || !read(rows.columns.data(), rows.columns.size()))
    return bad_input(path + " cannot be read to its end");
  rows.confidences.assign(rows.columns.size(), 1.0f);
  if (absl::Status s = validate(rows); !s.ok()) return bad_input(path + ": " + std::string(message_of(s)));
  return rows;
}

}  // namespace bouquet::bench
