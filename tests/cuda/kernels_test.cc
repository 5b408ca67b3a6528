// Kernels are loaded before anything runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cuda/cuda_backend.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

constexpr int32_t kDimension = 200, kRows = 4;

// All that computes, made on a device in whose memory nothing is free from then on.
class OnAFullDevice : public testing::Test {
 protected:
  void SetUp() override {
    emulation::unload_kernels();
    backend_ = *make_cuda_backend(0);
    TrainingOptions options;
    options.dimension = kDimension;
    options.regularization = 0.5;
    session_ = *backend_->start_training(shop_, options);
    ASSERT_TRUE(session_->run_epoch().ok());
    model_ = *backend_->load(*session_->snapshot());
    ranker_ = *model_->make_ranker(Side::kItems, {.max_batch = kRows, .max_k = 10});
    profiler_ = *model_->make_profiler({.max_batch = kRows});
    setenv("EMULATION_MEMORY", std::to_string(emulation::living().bytes).c_str(), 1);
  }
  void TearDown() override { unsetenv("EMULATION_MEMORY"); }

  absl::Status rank() {
    const std::vector<int32_t> rows{0, 1, 2, 3};
    std::vector<int32_t> best(size_t{kRows} * 10);
    std::vector<float> scores(best.size());
    return ranker_->rank({.rows = rows, .k = 10}, {best, scores});
  }
  absl::Status solve() {
    const std::vector<int64_t> offsets{0, 0, 2, 60, 220};
    std::vector<int32_t> items;
    for (size_t r = 0; r + 1 < offsets.size(); ++r)
      for (int64_t i = 0; i < offsets[r + 1] - offsets[r]; ++i) items.push_back(static_cast<int32_t>(i));
    const std::vector<float> confidences(items.size(), 2);
    std::vector<float> profiles(size_t{kRows} * kDimension), factors(profiles.size() * kDimension);
    return profiler_->solve({offsets, items, confidences, {}}, {{profiles.data(), kRows, kDimension}, factors});
  }

  const Interactions shop_ = shaped_rows({3, 0, 60, 300}, 320, true);
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<TrainingSession> session_;
  std::shared_ptr<const LoadedModel> model_;
  std::unique_ptr<Ranker> ranker_;
  std::unique_ptr<Profiler> profiler_;
};

TEST_F(OnAFullDevice, RankingSolvingAndTrainingGoOn) {
  EXPECT_TRUE(rank().ok());
  EXPECT_TRUE(solve().ok());
  EXPECT_TRUE(session_->run_epoch().ok());
}

// The control: what CUDA does by itself.
TEST_F(OnAFullDevice, AKernelThatIsLoadedAtItsLaunchDoesNotFit) {
  emulation::unload_kernels();
  EXPECT_TRUE(absl::IsResourceExhausted(rank()));
  EXPECT_TRUE(absl::IsResourceExhausted(solve()));
}

}  // namespace
}  // namespace bouquet::cuda
