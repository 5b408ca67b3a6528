#include "training/bootstrap.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "engine/counter_random.h"

namespace bouquet::training {
namespace {

// Resamples that are summed in one pass over the columns, and customers whose sum is kept in float before it goes to double.
constexpr size_t kLanes = 8;
constexpr size_t kChunk = 256;

// How often each of `count` customers is drawn in resample `first` .. `first` + kLanes - 1: drawn [count, kLanes].
void draw(size_t count, uint64_t seed, size_t first, std::vector<float>& drawn) {
  drawn.assign(count * kLanes, 0);
  for (size_t lane = 0; lane < kLanes; ++lane) {
    const uint64_t key = random_bits(seed, first + lane);
    for (size_t i = 0; i < count; i += 2) {
      const uint64_t bits = mix_bits(key + i * 0x9e3779b97f4a7c15u);
      drawn[random_below(static_cast<uint32_t>(bits), static_cast<uint32_t>(count)) * kLanes + lane] += 1;
      if (i + 1 < count) drawn[random_below(static_cast<uint32_t>(bits >> 32), static_cast<uint32_t>(count)) * kLanes + lane] += 1;
    }
  }
}

void sum_lanes(std::span<const float> column, const std::vector<float>& drawn, double (&sums)[kLanes]) {
  std::fill(sums, sums + kLanes, 0.0);
  for (size_t begin = 0; begin < column.size(); begin += kChunk) {
    const size_t end = std::min(column.size(), begin + kChunk);
    float part[kLanes] = {};
    for (size_t i = begin; i < end; ++i)
      for (size_t lane = 0; lane < kLanes; ++lane) part[lane] += column[i] * drawn[i * kLanes + lane];
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += static_cast<double>(part[lane]);
  }
}

// Linear between the two nearest order statistics; `sorted` is not empty.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - static_cast<double>(below));
}

double mean(std::span<const float> column) {
  double sum = 0;
  for (const float v : column) sum += static_cast<double>(v);
  return sum / static_cast<double>(column.size());
}

}  // namespace

std::vector<Interval> bootstrap_means(std::span<const std::span<const float>> columns, const BootstrapOptions& options) {
  std::vector<Interval> out(columns.size());
  if (columns.empty() || columns[0].empty()) return out;
  const size_t count = columns[0].size();
  const size_t groups = (static_cast<size_t>(std::max(options.resamples, 1)) + kLanes - 1) / kLanes;
  std::vector<std::vector<double>> means(columns.size(), std::vector<double>(groups * kLanes));
  std::atomic<size_t> next{0};
  const auto work = [&] {
    std::vector<float> drawn;
    for (size_t group = next++; group < groups; group = next++) {
      draw(count, options.seed, group * kLanes, drawn);
      for (size_t c = 0; c < columns.size(); ++c) {
        double sums[kLanes];
        sum_lanes(columns[c], drawn, sums);
        for (size_t lane = 0; lane < kLanes; ++lane) means[c][group * kLanes + lane] = sums[lane] / static_cast<double>(count);
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int32_t t = 1; t < options.threads; ++t) helpers.emplace_back(work);
    work();
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    means[c].resize(static_cast<size_t>(std::max(options.resamples, 1)));
    std::sort(means[c].begin(), means[c].end());
    out[c] = {.value = mean(columns[c]), .low = quantile(means[c], 0.025), .high = quantile(means[c], 0.975)};
  }
  return out;
}

}  // namespace bouquet::training
