// What serving says it needs, and what it takes.
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
#include "cuda/fold_in_source.h"
#include "engine/errors.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

struct Prior {
  int32_t columns = 0;
  int32_t dense = 0;
};

Model model_of(const ServedModel& shape, Prior prior_shape = {}) {
  Model model;
  model.dimension = shape.dimension;
  const auto d = static_cast<size_t>(shape.dimension);
  model.profiles = std::vector<float>(static_cast<size_t>(shape.customers) * d, 0.5f);
  model.item_vectors = std::vector<float>(static_cast<size_t>(shape.items) * d, 0.25f);
  model.item_gram = std::vector<float>(d * d, 0.0625f * static_cast<float>(shape.items));
  if (prior_shape.columns > 0)
    for (AttributePrior* prior : {&model.customer_prior, &model.item_prior})
      *prior = {prior_shape.dense, std::vector<float>(d * (static_cast<size_t>(prior_shape.columns) + 1), 0.01f)};
  model.constants = {0.1, 0.1, 0.5, shape.items, shape.customers};
  return model;
}

// The model, two rankers, fold-in and a profiler, together.
TEST(ServingMemory, IsWhatItsTablesSay) {
  for (const int32_t d : {31, 64, 300}) {
    SCOPED_TRACE("d = " + std::to_string(d));
    const ServedModel shape{.customers = 300, .items = 2000, .dimension = d};
    const Prior prior = d == 31 ? Prior{} : Prior{8000, 500};
    const RankerLimits ranker_limits{.max_batch = 16, .max_k = 20};
    const ProfilerLimits profiler_limits{.max_batch = 8, .solved = d == 300 ? Side::kItems : Side::kCustomers};
    const auto device = std::make_shared<const Device>(0);
    const auto before = emulation::living().bytes;
    const auto loaded = load_cuda_model(model_of(shape, prior), device);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const auto first = (*loaded)->make_ranker(Side::kItems, ranker_limits);
    const auto second = (*loaded)->make_ranker(Side::kItems, ranker_limits);
    const auto profiler = (*loaded)->make_profiler(profiler_limits);
    ASSERT_TRUE(first.ok() && second.ok() && profiler.ok());
    const int64_t fixed = profiler_limits.solved == Side::kCustomers ? shape.items : shape.customers;
    MemoryTable fold_in;
    FoldInSource::count_memory({profiler_limits.solved, fixed, d, prior.columns}, fold_in);
    const int64_t counted = model_memory(shape).total() +
                            2 * ranker_memory(shape, Side::kItems, ranker_limits, device->properties().multiprocessors).total() +
                            fold_in.total() + profiler_memory({fixed, d, profiler_limits, prior.columns, prior.dense}).total();
    const auto used = static_cast<double>(emulation::living().bytes - before);
    EXPECT_NEAR(static_cast<double>(counted), used, 0.05 * used);
  }
}

// What judges a training's epochs: the model and one ranker of a worker each.
TEST(JudgingMemory, IsWhatItsTableSays) {
  const JudgingShape shape{.customers = 300, .items = 2000, .dimension = 64, .rankers = 3, .limits = {.max_batch = 16, .max_k = 20}};
  const auto device = std::make_shared<const Device>(0);
  const auto before = emulation::living().bytes;
  const auto loaded = load_cuda_model(model_of({shape.customers, shape.items, shape.dimension}), device);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  std::vector<std::unique_ptr<Ranker>> rankers;
  for (int32_t r = 0; r < shape.rankers; ++r) rankers.push_back(*(*loaded)->make_ranker(Side::kItems, shape.limits));
  const auto used = static_cast<double>(emulation::living().bytes - before);
  EXPECT_NEAR(static_cast<double>(judging_memory(shape, device->properties().multiprocessors).total()), used, 0.05 * used);
  EXPECT_EQ(judging_memory({.customers = 300, .items = 2000, .dimension = 64}, 132).total(), 0);
}

// What is free of the emulated device until the end of the scope, beside what lives.
class FreeMemory {
 public:
  explicit FreeMemory(int64_t bytes) {
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
    const FreeMemory just_too_little(needed - 1);
    expect_refused_with(model_->make_ranker(Side::kItems, limits).status(),
                        {"a ranker", "bounds of a tile's scores", "lists of the best", "together", "free", "--max-batch", "smaller k"});
  }
  EXPECT_EQ(emulation::living(), before);
  EXPECT_LT(emulation::calls_made() - calls, 10) << "nothing was tried";
  const FreeMemory just_enough(needed);
  EXPECT_TRUE(model_->make_ranker(Side::kItems, limits).ok());
}

TEST_F(TightServing, AProfilerThatDoesNotFitIsRefusedWithItsTable) {
  const ProfilerLimits limits{.max_batch = 4096};
  const auto small = model_->make_profiler({.max_batch = 1});  // fold-in is prepared
  ASSERT_TRUE(small.ok()) << small.status();
  const int64_t needed = profiler_memory({shape_.items, shape_.dimension, limits}).total();
  const auto before = emulation::living();
  {
    const FreeMemory just_too_little(needed - 1);
    expect_refused_with(model_->make_profiler(limits).status(), {"a profiler", "histories", "solved profiles", "free", "--max-batch"});
  }
  EXPECT_EQ(emulation::living(), before);
  const FreeMemory just_enough(needed + 4);  // and a flag that is not in the table
  EXPECT_TRUE(model_->make_profiler(limits).ok());
}

TEST_F(TightServing, FoldInThatCannotBePreparedIsRefusedWithItsTable) {
  const auto before = emulation::living();
  const FreeMemory little(1 << 20);
  expect_refused_with(model_->make_profiler({}).status(), {"fold-in", "factors in the eigenbasis", "cuBLAS workspace"});
  EXPECT_EQ(emulation::living(), before);
}

TEST_F(TightServing, RowsThatDoNotFitAreRefusedWithTheirTableAndTheModelServesOn) {
  const std::vector<float> numbers(size_t{10} * 64, 0.5f);
  const ModelDelta delta{.items = {numbers.data(), 10, 64}, .customers = {}};
  const int64_t needed = model_memory({.customers = 0, .items = shape_.items + 10, .dimension = shape_.dimension}).total();
  const auto before = emulation::living();
  {
    const FreeMemory just_too_little(needed - 1);
    expect_refused_with(model_->with(delta).status(), {"adding rows to a model", "items", "free", "larger one"});
  }
  EXPECT_EQ(emulation::living(), before);
  const FreeMemory just_enough(needed);
  const auto made = model_->with(delta);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(static_cast<int64_t>(emulation::living().bytes - before.bytes), needed) << "the profiles are shared";
}

// What fold-in takes while it is prepared is what was checked, within 5 %.
TEST(FoldInPreparation, TakesWhatItsTableSays) {
  for (const int32_t d : {31, 64, 300}) {
    SCOPED_TRACE("d = " + std::to_string(d));
    const ServedModel shape{.customers = 900, .items = 2000, .dimension = d};
    const Side solved = d == 300 ? Side::kCustomers : Side::kItems;
    const auto device = std::make_shared<const Device>(0);
    const DeviceModel tables(model_of(shape, {.columns = d == 31 ? 0 : 3000}), device);
    const auto before = device->used_bytes();
    const FoldInSource source(tables, solved);
    MemoryTable table;
    FoldInSource::count_memory(fold_in_shape(tables, solved), table);
    FoldInSource::count_scratch(fold_in_shape(tables, solved), device->properties().capability, table);
    const auto used = static_cast<double>(device->most_used_bytes() - before);
    EXPECT_NEAR(static_cast<double>(table.total()), used, 0.05 * used);
  }
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
