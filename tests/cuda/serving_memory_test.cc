// What serving does where memory is short, by the tables of what it needs; that these are right, memory_use_test.cc looks at.
#include "cuda/serving_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cuda/cuda_model.h"
#include "cuda/cuda_profiler.h"
#include "cuda/device.h"
#include "cuda/device_model.h"
#include "engine/errors.h"
#include "tests/cuda/served_shape.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

// What is free of the emulated device until the end of the scope, beside what lives.
class FreeMemory {
 public:
  FreeMemory(const Device& device, int64_t bytes) {
    device.give_back();
    setenv("EMULATION_MEMORY", std::to_string(static_cast<int64_t>(emulation::living().bytes) + bytes).c_str(), 1);
  }
  ~FreeMemory() { unsetenv("EMULATION_MEMORY"); }
};

void expect_refused_with(const absl::Status& status, const std::vector<std::string>& words) {
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  for (const std::string& word : words) EXPECT_THAT(std::string(message_of(status)), testing::HasSubstr(word));
}

class TightServing : public testing::Test {
 protected:
  const ServedModel shape_{.customers = 30, .items = 2000, .dimension = 64};
  const std::shared_ptr<const Device> device_ = std::make_shared<const Device>(0);
  const std::shared_ptr<const LoadedModel> model_ = *load_cuda_model(model_of(shape_), device_);
};

TEST_F(TightServing, ARankerThatDoesNotFitIsRefusedWithItsTableBeforeAnythingIsAllocated) {
  const RankerLimits limits{.max_batch = 16, .max_k = 100};
  const int64_t needed = ranker_memory(shape_, Side::kItems, limits, device_->properties().multiprocessors).total();
  const auto before = emulation::living();
  const auto calls = emulation::calls_made();
  {
    const FreeMemory just_too_little(*device_, needed - 1);
    expect_refused_with(model_->make_ranker(Side::kItems, limits).status(),
                        {"a ranker", "bounds of a tile's scores", "lists of the best", "together", "free", "--max-batch", "smaller k"});
  }
  EXPECT_EQ(emulation::living(), before);
  EXPECT_LT(emulation::calls_made() - calls, 10) << "nothing was tried";
  const FreeMemory just_enough(*device_, needed);
  EXPECT_TRUE(model_->make_ranker(Side::kItems, limits).ok());
}

TEST_F(TightServing, AProfilerThatDoesNotFitIsRefusedWithItsTable) {
  const ProfilerLimits limits{.max_batch = 4096};
  const auto small = model_->make_profiler({.max_batch = 1});  // fold-in is prepared
  ASSERT_TRUE(small.ok()) << small.status();
  const int64_t needed = profiler_memory({shape_.items, shape_.dimension, limits}).total();
  const auto before = emulation::living();
  {
    const FreeMemory just_too_little(*device_, needed - 1);
    expect_refused_with(model_->make_profiler(limits).status(), {"a profiler", "histories", "solved profiles", "free", "--max-batch"});
  }
  EXPECT_EQ(emulation::living(), before);
  const FreeMemory just_enough(*device_, needed + 4);  // and a flag that is not in the table
  EXPECT_TRUE(model_->make_profiler(limits).ok());
}

TEST_F(TightServing, FoldInThatCannotBePreparedIsRefusedWithItsTable) {
  const auto before = emulation::living();
  const FreeMemory little(*device_, 1 << 20);
  expect_refused_with(model_->make_profiler({}).status(), {"fold-in", "factors in the eigenbasis", "cuBLAS workspace"});
  EXPECT_EQ(emulation::living(), before);
}

TEST_F(TightServing, RowsThatDoNotFitAreRefusedWithTheirTableAndTheModelServesOn) {
  const std::vector<float> numbers(size_t{10} * 64, 0.5f);
  const ModelDelta delta{.items = {numbers.data(), 10, 64}, .customers = {}};
  const int64_t needed = model_memory({.customers = 0, .items = shape_.items + 10, .dimension = shape_.dimension}).total();
  const auto before = emulation::living();
  {
    const FreeMemory just_too_little(*device_, needed - 1);
    expect_refused_with(model_->with(delta).status(), {"adding rows to a model", "items", "free", "larger one"});
  }
  EXPECT_EQ(emulation::living(), before);
  const FreeMemory just_enough(*device_, needed);
  const auto made = model_->with(delta);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(static_cast<int64_t>(emulation::living().bytes - before.bytes), needed) << "the profiles are shared";
}

TEST(ServingMemory, AModelLargerThanTheDeviceIsRefusedWithItsTable) {
  setenv("EMULATION_MEMORY", "1000000", 1);
  const auto device = std::make_shared<const Device>(0);
  const auto before = emulation::living();
  const auto loaded = load_cuda_model(model_of({.customers = 3000, .items = 2000, .dimension = 64}), device);
  unsetenv("EMULATION_MEMORY");
  EXPECT_TRUE(absl::IsResourceExhausted(loaded.status())) << loaded.status();
  EXPECT_THAT(std::string(message_of(loaded.status())), testing::HasSubstr("profiles"));
  EXPECT_EQ(emulation::living(), before);
}

TEST(FoldInMemory, IsAllThereBeforeTheFirstBatch) {
  constexpr int32_t kHistories = 40, kLength = 70, kDimension = 33;
  const auto loaded = load_cuda_model(model_of({.customers = 60, .items = 80, .dimension = kDimension}), std::make_shared<const Device>(0));
  const auto profiler = (*loaded)->make_profiler({.max_batch = kHistories});
  ASSERT_TRUE(profiler.ok());
  const SparseRows histories = shaped_rows(std::vector<int32_t>(kHistories, kLength), 80, true).by_customer;
  std::vector<float> profiles(kHistories * kDimension), factors(kHistories * kDimension * kDimension);
  const auto before = emulation::living();
  ASSERT_TRUE((*profiler)
                  ->solve({histories.offsets, histories.columns, histories.confidences, histories.targets},
                          {{profiles.data(), kHistories, kDimension}, factors})
                  .ok());
  EXPECT_EQ(emulation::living(), before);
}

}  // namespace
}  // namespace bouquet::cuda
