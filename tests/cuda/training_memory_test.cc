// What a training does where memory is short and when a call fails; that it takes what it says, memory_use_test.cc looks at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "cuda/cuda_backend.h"
#include "cuda/cuda_training.h"
#include "engine/device_loss.h"
#include "engine/errors.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/cuda/opening_calls.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

TEST(TrainingMemory, HoldsTheWorkspacesOfTheLibraries) {
  const Interactions shop = shaped_rows({3, 0, 6, 33}, 40, true);
  const auto line = [&](int capability) {
    const MemoryTable table = training_memory(shop, options_of_dimension(64), capability);
    for (const MemoryUse& use : table.lines())
      if (use.purpose == "cuBLAS workspace") return use.bytes;
    return int64_t{0};
  };
  EXPECT_EQ(line(80), 4 << 20);
  EXPECT_EQ(line(90), 32 << 20);

  const auto before = emulation::products_without_workspace();
  const auto session = start_cuda_training(shop, options_of_dimension(64), std::make_shared<const Device>(0));
  ASSERT_TRUE(session.ok() && (*session)->run_epoch().ok());
  EXPECT_EQ(emulation::products_without_workspace(), before);
}

TEST(TrainingMemory, IsRefusedWithItsTableBeforeAnythingIsAllocated) {
  const Interactions shop = shaped_rows({40, 50, 60}, 5000, false);
  setenv("EMULATION_MEMORY", "10000000", 1);
  const auto device = std::make_shared<const Device>(0);
  const auto before = emulation::living();
  const auto session = start_cuda_training(shop, options_of_dimension(256), device);
  unsetenv("EMULATION_MEMORY");
  EXPECT_TRUE(absl::IsResourceExhausted(session.status())) << session.status();
  EXPECT_THAT(std::string(message_of(session.status())), testing::HasSubstr("factors"));
  EXPECT_THAT(std::string(message_of(session.status())), testing::HasSubstr("--dimension"));
  EXPECT_EQ(emulation::living(), before);
}

// Trains for an epoch, or two where there are attributes, and folds two histories in; the first thing that fails.
absl::Status train_and_fold_in(const Interactions& shop, const TrainingOptions& options) {
  auto backend = make_cuda_backend(0);
  if (!backend.ok()) return backend.status();
  auto session = (*backend)->start_training(shop, options);
  if (!session.ok()) return session.status();
  for (int epoch = shop.customer_attributes.empty() ? 1 : 0; epoch < 2; ++epoch)
    if (auto stats = (*session)->run_epoch(); !stats.ok()) return stats.status();
  auto model = (*session)->snapshot();
  if (!model.ok()) return model.status();
  auto loaded = (*backend)->load(*model);
  if (!loaded.ok()) return loaded.status();
  auto profiler = (*loaded)->make_profiler({.max_batch = 2});
  if (!profiler.ok()) return profiler.status();
  std::vector<float> profiles(static_cast<size_t>(2 * options.dimension));
  std::vector<float> factors(static_cast<size_t>(2 * options.dimension * options.dimension));
  const std::vector<int64_t> offsets{0, 2, 3};
  const std::vector<int32_t> items{1, 4, 2};
  const std::vector<float> confidences{1, 2, 1};
  const AttributeTable& attributes = shop.customer_attributes;
  AttributeTable two;
  if (!attributes.empty())
    two = conformance::random_attributes(2, {attributes.dense_count, attributes.column_count - attributes.dense_count});
  return (*profiler)->solve({offsets, items, confidences, {}, two.rows()}, {{profiles.data(), 2, options.dimension}, factors});
}

void expect_failures_leave_nothing(const Interactions& shop, const TrainingOptions& options) {
  const auto first_call = emulation::calls_made();
  ASSERT_TRUE(train_and_fold_in(shop, options).ok());
  const auto calls = emulation::calls_made() - first_call;
  ASSERT_GT(calls, 100);
  const int64_t opening = calls_to_look_at_devices();
  const auto before = emulation::living();
  for (const cudaError_t error : {cudaErrorMemoryAllocation, cudaErrorLaunchFailure}) {
    const auto failing = error == cudaErrorMemoryAllocation ? emulation::Failing::kOnce : emulation::Failing::kFromThenOn;
    // Every call once; the second error at every third, because the emulation is slow.
    for (int64_t n = 1; n <= calls; n += (error == cudaErrorMemoryAllocation ? 1 : 3) * (kSlowEmulation ? 11 : 1)) {
      emulation::fail_call(n, error, failing);
      const absl::Status s = train_and_fold_in(shop, options);
      emulation::fail_call(0);
      // A call whose failure cannot matter (a release, a wait before one) may pass unseen.
      if (!s.ok()) {
        // Whatever fails while devices are looked at, the platform is broken; then the error says what is lost.
        const bool full = error == cudaErrorMemoryAllocation && n > opening;
        EXPECT_EQ(s.code(), full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal) << "call " << n << ": " << s;
        if (n > opening) {
          EXPECT_EQ(is_device_lost(s), !full) << "call " << n << ": " << s;
        }
        EXPECT_FALSE(message_of(s).empty());
      }
      EXPECT_EQ(emulation::living(), before) << "call " << n << ": " << s;
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(FailingCalls, LeaveNothingBehindAndSayWhatFailed) {
  expect_failures_leave_nothing(shaped_rows({3, 0, 6, 33}, 40, true), options_of_dimension(33));
}

// Conjugate gradients have a test of their own in attribute_step_test.cc.
TEST(FailingCalls, LeaveNothingBehindWithAttributes) {
  Interactions shop = shaped_rows({3, 0, 6}, 12, true);
  shop.customer_attributes = conformance::random_attributes(shop.customer_count(), {.dense = 1, .sparse = 3});
  shop.item_attributes = conformance::random_attributes(shop.item_count(), {.dense = 2, .sparse = 0});
  TrainingOptions options = options_of_dimension(32);
  options.attribute_warmup = 1;
  expect_failures_leave_nothing(shop, options);
}

// The session is then good for nothing but the same again.
TEST(FailingCalls, OfGoingOnFromACheckpointLeaveNoEpochToRun) {
  const Interactions shop = shaped_rows({3, 0, 6, 33}, 40, true);
  const TrainingOptions options = options_of_dimension(33);
  const auto device = std::make_shared<const Device>(0);
  const auto start = [&] { return *start_cuda_training(shop, options, device); };
  const auto before = start();
  ASSERT_TRUE(before->run_epoch().ok());
  const Model model = *before->snapshot();
  const auto right = before->run_epoch();
  ASSERT_TRUE(right.ok());
  int64_t failures = 0, n = 1;
  for (bool reached = true; reached; ++n) {
    const auto session = start();
    const int64_t made = emulation::calls_made();
    emulation::fail_call(n);
    const absl::Status s = session->go_on_from(model, 1);
    reached = emulation::calls_made() - made >= n;
    emulation::fail_call(0);
    if (!s.ok()) {
      ++failures;
      EXPECT_TRUE(absl::IsResourceExhausted(s)) << s;
      EXPECT_TRUE(absl::IsFailedPrecondition(session->run_epoch().status())) << "call " << n;
      ASSERT_TRUE(session->go_on_from(model, 1).ok());
    }
    const auto stats = session->run_epoch();
    ASSERT_TRUE(stats.ok()) << stats.status();
    EXPECT_EQ(stats->objective, right->objective) << "call " << n;
  }
  EXPECT_GT(failures, 5);
}

}  // namespace
}  // namespace bouquet::cuda
