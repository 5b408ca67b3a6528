// What benchmarks ask of a backend beside its answers: the device's own time of a call, and what the hardware can do.
#include <chrono>
#include <cmath>
#include <functional>

#include "engine/timed_on_device.h"
#include "tests/conformance/backend_test.h"
#include "tests/conformance/ranking_data.h"
#include "tests/conformance/small_shop.h"

namespace bouquet::conformance {
namespace {

class Measuring : public BackendTest {
 protected:
  // A backend with a clock of its own has no time before it is asked to, and then one for each call, no longer than the host saw; the
  // host alone has none.
  void expect_device_time(TimedOnDevice& timed, const std::function<absl::Status()>& call) {
    ASSERT_TRUE(call().ok());
    EXPECT_FALSE(timed.device_seconds().has_value());
    const absl::Status starts = timed.time_on_device();
    EXPECT_EQ(starts.ok(), backend().name() != "cpu") << starts;
    for (int i = 0; i < 2; ++i) {
      const auto start = std::chrono::steady_clock::now();
      ASSERT_TRUE(call().ok());
      const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      ASSERT_EQ(timed.device_seconds().has_value(), starts.ok());
      if (!starts.ok()) continue;
      EXPECT_GT(*timed.device_seconds(), 0);
      EXPECT_LE(*timed.device_seconds(), wall * 1.01 + 1e-5);  // two clocks
    }
  }
};

TEST_P(Measuring, TellsTheDevicesTimeOfRanking) {
  const RankingData data = ranking_data(Hardness::kGaussian, 3, 100, 8);
  const auto model = backend().load(ranking_model(data));
  ASSERT_TRUE(model.ok()) << model.status();
  const auto ranker = (*model)->make_ranker(Side::kItems, {.max_batch = 3, .max_k = 10});
  ASSERT_TRUE(ranker.ok()) << ranker.status();
  const std::vector<int32_t> rows = {0, 1, 2};
  std::vector<int32_t> answer(30);
  std::vector<float> scores(30);
  expect_device_time(**ranker, [&] { return (*ranker)->rank({.rows = rows, .k = 10}, {answer, scores}); });
  // A call without queries has no work on the device.
  ASSERT_TRUE((*ranker)->rank({}, {}).ok());
  if (backend().name() != "cpu") {
    EXPECT_EQ((*ranker)->device_seconds(), 0);
  }
}

TEST_P(Measuring, TellsTheDevicesTimeOfTrainingAndFoldIn) {
  const Interactions shop = small_shop({});
  const auto session = backend().start_training(shop, {.dimension = 8});
  ASSERT_TRUE(session.ok()) << session.status();
  expect_device_time(**session, [&] { return (*session)->run_epoch().status(); });

  const auto snapshot = (*session)->snapshot();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const auto model = backend().load(*snapshot);
  ASSERT_TRUE(model.ok()) << model.status();
  const auto profiler = (*model)->make_profiler({.max_batch = 2});
  ASSERT_TRUE(profiler.ok()) << profiler.status();
  const std::vector<int64_t> offsets = {0, 2, 3};
  const std::vector<int32_t> items = {0, 1, 0};
  const std::vector<float> confidences = {1, 2, 3};
  std::vector<float> profiles(16);
  expect_device_time(**profiler, [&] { return (*profiler)->solve({offsets, items, confidences, {}}, {{profiles.data(), 2, 8}}); });
}

TEST_P(Measuring, TheHardwareReachesItsOwnCeilings) {
  const auto roofline = backend().measure_roofline();
  ASSERT_TRUE(roofline.ok()) << roofline.status();
  EXPECT_TRUE(std::isfinite(roofline->bytes_per_second) && std::isfinite(roofline->flops_per_second));
  // Of anything that runs these tests, however slowly: the unit would be wrong.
  EXPECT_GT(roofline->bytes_per_second, 1e6);
  EXPECT_GT(roofline->flops_per_second, 1e5);
  EXPECT_LT(roofline->bytes_per_second, 1e14);
  EXPECT_LT(roofline->flops_per_second, 1e16);
}

INSTANTIATE_TEST_SUITE_P(Backends, Measuring, testing::ValuesIn(backend_names()), backend_test_name);

}  // namespace
}  // namespace bouquet::conformance
