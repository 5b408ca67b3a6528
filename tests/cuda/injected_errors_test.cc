// Every call of the runtime fails once, at each place where it is made: nothing leaks, nothing crashes, the status says what happened, and
// a device that was only full goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "cuda/check.h"
#include "cuda/cuda_backend.h"
#include "cuda/devices.h"
#include "engine/device_loss.h"
#include "engine/errors.h"
#include "tests/conformance/ranking_answer.h"
#include "tests/conformance/ranking_data.h"
#include "tests/cuda/opening_calls.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

using conformance::Hardness;
using conformance::MixedRestrictions;
using conformance::ranking_data;
using conformance::ranking_model;
using conformance::RankingData;

constexpr int32_t kQueries = 4, kRows = 150, kLength = 10;

// One life: a backend, a model, one with more rows, a ranker, a question.
class Life {
 public:
  Life() : data_(ranking_data(Hardness::kGaussian, kQueries, kRows, 9)), rows_(kQueries), restrictions_(kQueries, kRows, 3) {
    std::iota(rows_.begin(), rows_.end(), 0);
    queries_ = {.rows = rows_, .k = kLength};
    restrictions_.apply(queries_);
    right_ = oracle::rank(data_.asking_matrix(), data_.ranked_matrix(), queries_);
  }

  absl::Status live() {
    auto backend = make_cuda_backend(0);
    if (!backend.ok()) return backend.status();
    auto model = (*backend)->load(ranking_model(data_));
    if (!model.ok()) return model.status();
    auto more = (*model)->with({.items = {}, .customers = data_.asking_matrix()});
    if (!more.ok()) return more.status();
    auto ranker = (*more)->make_ranker(Side::kItems, {.max_batch = kQueries, .max_k = kLength});
    if (!ranker.ok()) return ranker.status();
    const conformance::Answer answer = ask(**ranker);
    if (answer.status.ok()) return answer.status;
    // The same ranker answers when the device is there again.
    emulation::fail_call(0);
    EXPECT_TRUE(ask(**ranker).status.ok());
    return answer.status;
  }

 private:
  conformance::Answer ask(Ranker& ranker) {
    conformance::Answer answer = conformance::ask(ranker, queries_);
    if (answer.status.ok()) {
      EXPECT_EQ(conformance::count_differences(answer.rows.span(), answer.scores.span(), right_), 0);
    }
    return answer;
  }

  RankingData data_;
  std::vector<int32_t> rows_;
  MixedRestrictions restrictions_;
  QueryBatch queries_;
  oracle::Ranking right_;
};

struct Injected {
  std::string name;
  cudaError_t error;
  emulation::Failing failing;
  absl::StatusCode becomes;
};

class InjectedErrors : public testing::TestWithParam<Injected> {
 protected:
  void TearDown() override { emulation::fail_call(0); }
};

TEST_P(InjectedErrors, AtEveryCall) {
  Life life;
  const int64_t first = emulation::calls_made();
  ASSERT_TRUE(life.live().ok());
  const int64_t calls = emulation::calls_made() - first;
  ASSERT_GT(calls, 40) << "the test sees the calls";
  const int64_t opening = calls_to_look_at_devices();
  int failures = 0;
  for (int64_t n = 1; n <= calls; ++n) {
    SCOPED_TRACE(testing::Message() << "call " << n << " of " << calls);
    const emulation::Living before = emulation::living();
    emulation::fail_call(n, GetParam().error, GetParam().failing);
    const absl::Status status = life.live();
    emulation::fail_call(0);
    EXPECT_EQ(emulation::living(), before);
    if (status.ok()) continue;  // a call that gives something back, whose failure nobody can do anything about
    ++failures;
    // Whatever fails while devices are looked at, the platform is broken; the first call, which asks for all of them, may say what to do.
    const bool says_way_out = n == 1 && fault_of(GetParam().error) == Fault::kUnusable;
    EXPECT_EQ(status.code(), n <= opening && !says_way_out ? absl::StatusCode::kInternal : GetParam().becomes) << status;
    if (n > opening) {
      EXPECT_EQ(is_device_lost(status), GetParam().becomes == absl::StatusCode::kInternal) << status;
    }
    EXPECT_THAT(std::string(message_of(status)), testing::Not(testing::IsEmpty()));
  }
  EXPECT_GT(failures, calls / 2);
  EXPECT_TRUE(life.live().ok());
}

INSTANTIATE_TEST_SUITE_P(
    Errors, InjectedErrors,
    testing::Values(Injected{"Full", cudaErrorMemoryAllocation, emulation::Failing::kOnce, absl::StatusCode::kResourceExhausted},
                    Injected{"Unusable", cudaErrorDevicesUnavailable, emulation::Failing::kOnce, absl::StatusCode::kResourceExhausted},
                    Injected{"Lost", cudaErrorIllegalAddress, emulation::Failing::kFromThenOn, absl::StatusCode::kInternal},
                    Injected{"LostOnce", cudaErrorLaunchFailure, emulation::Failing::kOnce, absl::StatusCode::kInternal}),
    [](const testing::TestParamInfo<Injected>& tested) { return tested.param.name; });

TEST(Measuring, TheRooflineAndTheClocksLeaveNothingBehindWhenACallFails) {
  auto backend = make_cuda_backend(0);
  ASSERT_TRUE(backend.ok()) << backend.status();
  const RankingData data = ranking_data(Hardness::kGaussian, kQueries, kRows, 9);
  auto model = (*backend)->load(ranking_model(data));
  ASSERT_TRUE(model.ok()) << model.status();
  const auto measure = [&]() -> absl::Status {
    if (auto roofline = (*backend)->measure_roofline(); !roofline.ok()) return roofline.status();
    auto ranker = (*model)->make_ranker(Side::kItems, {.max_batch = kQueries, .max_k = kLength});
    return ranker.ok() ? (*ranker)->time_on_device() : ranker.status();
  };
  const int64_t first = emulation::calls_made();
  ASSERT_TRUE(measure().ok());
  const int64_t calls = emulation::calls_made() - first;
  const emulation::Living before = emulation::living();
  int failures = 0;
  const int64_t step = std::max<int64_t>(1, calls / 150);
  for (int64_t n = 1; n <= calls; n += step) {
    emulation::fail_call(n);
    const absl::Status status = measure();
    emulation::fail_call(0);
    EXPECT_EQ(emulation::living(), before) << "call " << n;
    if (status.ok()) continue;
    ++failures;
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << "call " << n << ": " << status;
  }
  EXPECT_GT(failures, 20);
}

TEST(FullDevice, ADeviceThatIsFullLeavesTheModelThatServes) {
  const RankingData data = ranking_data(Hardness::kGaussian, kQueries, kRows, 9);
  auto backend = make_cuda_backend(0);
  ASSERT_TRUE(backend.ok());
  auto serving = (*backend)->load(ranking_model(data));
  ASSERT_TRUE(serving.ok());
  auto ranker = (*serving)->make_ranker(Side::kItems, {.max_batch = kQueries, .max_k = kLength});
  ASSERT_TRUE(ranker.ok());

  ASSERT_EQ(setenv("EMULATION_MEMORY", std::to_string(emulation::living().bytes + 100).c_str(), 1), 0);
  const auto next = (*backend)->load(ranking_model(data));
  EXPECT_TRUE(absl::IsResourceExhausted(next.status())) << next.status();
  EXPECT_THAT(std::string(message_of(next.status())), testing::HasSubstr("loading a model"));

  const std::vector<int32_t> rows = {0, 1, 2, 3};
  conformance::expect_as_oracle(**ranker, data.asking_matrix(), data.ranked_matrix(), {.rows = rows, .k = kLength});
  unsetenv("EMULATION_MEMORY");
}

}  // namespace
}  // namespace bouquet::cuda
