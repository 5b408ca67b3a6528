#include "training/uncertainty.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "cpu_fallback/cpu_backend.h"
#include "engine/random_stream.h"
#include "engine/score_variance.h"

namespace bouquet::training {
namespace {

constexpr int32_t kRows = 1500, kDimension = 4, kColdItems = 150, kEpochs = 60;
constexpr double kNoise = 0.5;  // sigma; lambda is 1, so vectors have this deviation too
constexpr int32_t kWarmItems = kRows - kColdItems;

// Vectors, pairs and targets drawn from the model itself: p and q normal with variance sigma² / lambda, r = p·q + sigma / sqrt(c).
class DrawnFromTheModel : public testing::Test {
 protected:
  static std::vector<float> vectors(uint64_t seed) {
    RandomStream random(seed, 0);
    std::vector<float> out(kRows * kDimension);
    for (float& x : out) x = static_cast<float>(kNoise * random.normal());
    return out;
  }

  double true_score(int32_t customer, int32_t item) const {
    double sum = 0;
    for (size_t j = 0; j < kDimension; ++j)
      sum += double{profiles_[static_cast<size_t>(customer) * kDimension + j]} * double{items_[static_cast<size_t>(item) * kDimension + j]};
    return sum;
  }

  // Popular items are taken more often; the last kColdItems by nobody.
  static int32_t drawn_item(RandomStream& random) { return static_cast<int32_t>(kWarmItems * std::pow(random.unit(), 1.7)); }

  void append_pair(RandomStream& random, SparseRows& rows, int32_t customer, int32_t item) const {
    constexpr std::array<float, 4> kConfidences{0.5f, 1, 2, 4};
    const float c = kConfidences[static_cast<size_t>(random.below(4))];
    rows.columns.push_back(item);
    rows.confidences.push_back(c);
    rows.targets.push_back(static_cast<float>(true_score(customer, item) + kNoise / std::sqrt(double{c}) * random.normal()));
  }

  void SetUp() override {
    SparseRows known;
    known.column_count = later_.column_count = kRows;
    for (int32_t c = 0; c < kRows; ++c) {
      RandomStream random(7, static_cast<uint64_t>(c));
      std::set<int32_t> before, after;
      const double length = std::exp(std::log(5) + random.unit() * std::log(40));  // 5 to 200
      while (static_cast<double>(before.size()) < length) before.insert(drawn_item(random));
      for (int i = 0; i < 4; ++i)
        if (const int32_t item = drawn_item(random); !before.contains(item)) after.insert(item);
      for (const int32_t item : before) append_pair(random, known, c, item);
      for (const int32_t item : after) append_pair(random, later_, c, item);
      known.offsets.push_back(static_cast<int64_t>(known.columns.size()));
      later_.offsets.push_back(static_cast<int64_t>(later_.columns.size()));
    }
    interactions_ = Interactions::from_customers(std::move(known));
    TrainingOptions options{.dimension = kDimension, .regularization = 1, .regularization_exponent = 0};
    options.unobserved_weight = 1e-6;
    auto session = backend_->start_training(interactions_, options);
    ASSERT_TRUE(session.ok()) << session.status();
    for (int epoch = 0; epoch < kEpochs; ++epoch) ASSERT_TRUE((*session)->run_epoch().ok());
    model_ = *(*session)->snapshot();
    loaded_ = *backend_->load(model_);
    uncertainty_ = uncertainty_of(interactions_.by_item, model_);
    const auto noise = fit_noise_variance(*loaded_, model_, uncertainty_, interactions_, later_, 1);
    ASSERT_TRUE(noise.ok()) << noise.status();
    uncertainty_.noise_variance = *noise;
  }

  // (score - truth) / deviation for one customer and some items.
  std::vector<double> standardised_errors(Profiler& profiler, int32_t customer, std::span<const int32_t> items) {
    const SparseRows& all = interactions_.by_customer;
    const auto begin = static_cast<size_t>(all.offsets[static_cast<size_t>(customer)]),
               size = static_cast<size_t>(all.row_length(customer));
    const std::array<int64_t, 2> offsets{0, all.row_length(customer)};
    std::vector<float> profile(kDimension), cholesky(kDimension * kDimension);
    const HistoryBatch history{offsets, std::span(all.columns).subspan(begin, size), std::span(all.confidences).subspan(begin, size),
                               std::span(all.targets).subspan(begin, size)};
    EXPECT_TRUE(profiler.solve(history, {.profiles = {profile.data(), 1, kDimension}, .cholesky = cholesky}).ok());
    const std::vector<double> deviations = score_deviations(model_, uncertainty_, {profile, cholesky}, items);
    std::vector<double> out;
    for (size_t k = 0; k < items.size(); ++k) {
      double score = 0;
      for (size_t j = 0; j < kDimension; ++j) score += double{profile[j]} * double{model_.item_matrix().row(items[k])[j]};
      out.push_back((score - true_score(customer, items[k])) / deviations[k]);
    }
    return out;
  }

  const std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(2);
  const std::vector<float> profiles_ = vectors(1), items_ = vectors(2);
  SparseRows later_;
  Interactions interactions_;
  Model model_;
  std::shared_ptr<const LoadedModel> loaded_;
  Uncertainty uncertainty_;
};

TEST_F(DrawnFromTheModel, ErrorsAreAsLargeAsTheDeviationsSay) {
  EXPECT_NEAR(uncertainty_.noise_variance, kNoise * kNoise, 0.15 * kNoise * kNoise);
  const auto profiler = loaded_->make_profiler({.max_batch = 1});
  ASSERT_TRUE(profiler.ok());
  constexpr std::array<int64_t, 6> kLengths{5, 10, 20, 50, 100, 1000};
  std::array<std::array<double, 2>, 5> sums{}, counts{};  // by length of the history; warm and cold items
  for (int32_t c = 0; c < kRows; ++c) {
    RandomStream random(11, static_cast<uint64_t>(c));
    const SparseRows& all = interactions_.by_customer;
    const auto known =
        std::span(all.columns).subspan(static_cast<size_t>(all.offsets[static_cast<size_t>(c)]), static_cast<size_t>(all.row_length(c)));
    std::vector<int32_t> asked;
    while (asked.size() < 20) {
      const int32_t item = asked.size() < 15 ? drawn_item(random) : kWarmItems + static_cast<int32_t>(random.below(kColdItems));
      if (!std::binary_search(known.begin(), known.end(), item)) asked.push_back(item);
    }
    size_t bucket = 0;
    while (all.row_length(c) >= kLengths[bucket + 1]) ++bucket;
    const std::vector<double> errors = standardised_errors(**profiler, c, asked);
    for (size_t k = 0; k < errors.size(); ++k) {
      const size_t cold = asked[k] >= kWarmItems ? 1 : 0;
      sums[bucket][cold] += errors[k] * errors[k];
      counts[bucket][cold] += 1;
    }
  }
  for (size_t b = 0; b < sums.size(); ++b)
    for (size_t cold = 0; cold < 2; ++cold) {
      ASSERT_GT(counts[b][cold], 300);
      const double variance = sums[b][cold] / counts[b][cold];
      EXPECT_GT(variance, 0.8) << "from " << kLengths[b] << " events, " << (cold != 0 ? "cold" : "warm") << " items";
      EXPECT_LT(variance, 1.25) << "from " << kLengths[b] << " events, " << (cold != 0 ? "cold" : "warm") << " items";
    }
}

TEST_F(DrawnFromTheModel, TooFewPairsGiveNoNoiseVariance) {
  SparseRows none;
  none.column_count = kRows;
  none.offsets.assign(static_cast<size_t>(kRows) + 1, 0);
  EXPECT_EQ(fit_noise_variance(*loaded_, model_, uncertainty_, interactions_, none, 1).value_or(-1), 0);
}

}  // namespace
}  // namespace bouquet::training
