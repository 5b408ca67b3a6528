// What serving says it needs, and what it takes.
#include "cuda/serving_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cuda/cuda_model.h"
#include "cuda/device.h"
#include "engine/errors.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

Model model_of(const ServedModel& shape) {
  Model model;
  model.dimension = shape.dimension;
  const auto d = static_cast<size_t>(shape.dimension);
  model.profiles = std::vector<float>(static_cast<size_t>(shape.customers) * d, 0.5f);
  model.item_vectors = std::vector<float>(static_cast<size_t>(shape.items) * d, 0.25f);
  model.item_gram = std::vector<float>(d * d, 0.0625f * static_cast<float>(shape.items));
  model.constants = {0.1, 0.1, 0.5, shape.items, shape.customers};
  return model;
}

TEST(ServingMemory, IsWhatItsTableSays) {
  for (const int32_t d : {31, 64, 300}) {
    SCOPED_TRACE("d = " + std::to_string(d));
    const ServedModel shape{.customers = 300, .items = 2000, .dimension = d};
    const Serving serving{
        .item_rankers = 2, .ranker_limits = {.max_batch = 16, .max_k = 20}, .profilers = 1, .profiler_limits = {.max_batch = 8}};
    const auto device = std::make_shared<const Device>(0);
    const auto before = emulation::living().bytes;
    const auto loaded = load_cuda_model(model_of(shape), device);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const auto first = (*loaded)->make_ranker(Side::kItems, serving.ranker_limits);
    const auto second = (*loaded)->make_ranker(Side::kItems, serving.ranker_limits);
    const auto profiler = (*loaded)->make_profiler(serving.profiler_limits);
    ASSERT_TRUE(first.ok() && second.ok() && profiler.ok());
    const auto used = static_cast<double>(emulation::living().bytes - before);
    EXPECT_NEAR(static_cast<double>(serving_memory(shape, serving, device->properties().multiprocessors).total()), used, 0.05 * used);
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

}  // namespace
}  // namespace bouquet::cuda
