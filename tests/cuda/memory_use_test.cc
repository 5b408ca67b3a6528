// What serving and training say they need is what they take of the device's pool, within 5 %.
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cuda/attribute_step.h"
#include "cuda/check.h"
#include "cuda/cuda_model.h"
#include "cuda/cuda_profiler.h"
#include "cuda/cuda_training.h"
#include "cuda/device.h"
#include "cuda/device_model.h"
#include "cuda/fold_in_source.h"
#include "cuda/libraries.h"
#include "cuda/serving_memory.h"
#include "cuda/solve_source.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/cuda/served_shape.h"
#include "tests/cuda/shaped_rows.h"

namespace bouquet::cuda {
namespace {

// Once everything that was freed is.
int64_t used_bytes(const Device& device) {
  device.use();
  check(cudaDeviceSynchronize());
  return device.used_bytes();
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
    const int64_t before = used_bytes(*device);
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
    const auto used = static_cast<double>(used_bytes(*device) - before);
    EXPECT_NEAR(static_cast<double>(counted), used, 0.05 * used);
  }
}

// What judges a training's epochs: the model and one ranker of a worker each.
TEST(JudgingMemory, IsWhatItsTableSays) {
  const JudgingShape shape{.customers = 300, .items = 2000, .dimension = 64, .rankers = 3, .limits = {.max_batch = 16, .max_k = 20}};
  const auto device = std::make_shared<const Device>(0);
  const int64_t before = used_bytes(*device);
  const auto loaded = load_cuda_model(model_of({shape.customers, shape.items, shape.dimension}), device);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  std::vector<std::unique_ptr<Ranker>> rankers;
  for (int32_t r = 0; r < shape.rankers; ++r) rankers.push_back(*(*loaded)->make_ranker(Side::kItems, shape.limits));
  const auto used = static_cast<double>(used_bytes(*device) - before);
  EXPECT_NEAR(static_cast<double>(judging_memory(shape, device->properties().multiprocessors).total()), used, 0.05 * used);
  EXPECT_EQ(judging_memory({.customers = 300, .items = 2000, .dimension = 64}, 132).total(), 0);
}

// What fold-in takes while it is prepared is what was checked, within 5 %.
TEST(FoldInPreparation, TakesWhatItsTableSays) {
  for (const int32_t d : {31, 64, 300}) {
    SCOPED_TRACE("d = " + std::to_string(d));
    const ServedModel shape{.customers = 900, .items = 2000, .dimension = d};
    const Side solved = d == 300 ? Side::kCustomers : Side::kItems;
    const auto device = std::make_shared<const Device>(0);
    const DeviceModel tables(model_of(shape, {.columns = d == 31 ? 0 : 3000}), device);
    const int64_t before = used_bytes(*device);
    const FoldInSource source(tables, solved);
    MemoryTable table;
    FoldInSource::count_memory(fold_in_shape(tables, solved), table);
    FoldInSource::count_scratch(fold_in_shape(tables, solved), device->properties().capability, table);
    const auto used = static_cast<double>(device->most_used_bytes() - before);
    EXPECT_NEAR(static_cast<double>(table.total()), used, 0.05 * used);
  }
}

// What a training takes, and that it takes no more while it runs.
TEST(TrainingMemory, IsWhatItsTableSaysAndDoesNotGrow) {
  for (const int32_t d : {7, 33, 128, 300}) {
    SCOPED_TRACE("d = " + std::to_string(d));
    const Interactions shop = shaped_rows({0, 9000, 5, 50, 300}, 9100, d == 33);
    const auto device = std::make_shared<const Device>(0);
    const int64_t before = used_bytes(*device);
    const auto session = start_cuda_training(shop, options_of_dimension(d), device);
    ASSERT_TRUE(session.ok()) << session.status();
    const int64_t after = used_bytes(*device);
    const auto used = static_cast<double>(after - before);
    EXPECT_NEAR(static_cast<double>(training_memory(shop, options_of_dimension(d), device->properties().capability).total()), used,
                0.05 * used);
    if (d != 7) continue;  // the others take long
    ASSERT_TRUE((*session)->run_epoch().ok());
    EXPECT_EQ(used_bytes(*device), after);
  }
}

// What attributes add, by factorization and by conjugate gradients. The table has room for a larger workspace of the factorization than the
// libraries that are known ask for; of that the use may fall short.
TEST(TrainingMemory, OfAttributesIsWhatTheTableSaysAndDoesNotGrow) {
  for (const int32_t sparse : {300, static_cast<int32_t>(kDirectAttributeColumns) + 1}) {
    for (const int32_t d : {7, 33}) {
      SCOPED_TRACE(testing::Message() << sparse << " sparse columns, d = " << d);
      Interactions shop = shaped_rows(std::vector<int32_t>(60, 6), 100, false);
      const auto device = std::make_shared<const Device>(0);
      const int capability = device->properties().capability;
      TrainingOptions options = options_of_dimension(d);
      options.attribute_warmup = 1;
      options.customer_attribute_regularization = 1000;  // few iterations
      const int64_t table_without = training_memory(shop, options, capability).total();
      const int64_t before = used_bytes(*device);
      const int64_t without = [&] {
        const auto session = start_cuda_training(shop, options, device);
        return used_bytes(*device) - before;
      }();
      shop.customer_attributes = conformance::random_attributes(60, {.dense = 70, .sparse = sparse});
      const auto session = start_cuda_training(shop, options, device);
      ASSERT_TRUE(session.ok()) << session.status();
      const int64_t after = used_bytes(*device);
      const auto used = static_cast<double>(after - before - without);
      const bool direct = 70 + sparse <= kDirectAttributeColumns;
      const int64_t workspace = direct ? AttributeStep::most_work(70 + sparse + 1) * int64_t{sizeof(double)} : 0;
      const auto said = static_cast<double>(training_memory(shop, options, capability).total() - table_without);
      EXPECT_GE(said, 0.95 * used);
      EXPECT_LE(said - static_cast<double>(workspace), 1.05 * used);
      if (d != 7) continue;
      for (int epoch = 0; epoch < 2; ++epoch) {
        const auto stats = (*session)->run_epoch();
        ASSERT_TRUE(stats.ok()) << stats.status();
      }
      EXPECT_EQ(used_bytes(*device), after);
    }
  }
}

TEST(TrainingMemory, CountsWithAsMuchForTheEigenbasisAsItTakes) {
  const Device device(0);
  const Stream stream(device);
  const SolverHandle solver(stream);
  for (const int32_t d : {32, 64, 100, 128, 256, 512, 1024}) {
    const EigenScratch scratch(d, solver, stream);
    EXPECT_GT(scratch.work(), 0) << d;
    EXPECT_LE(scratch.work(), EigenScratch::most_work(d)) << d;
  }
}

}  // namespace
}  // namespace bouquet::cuda
