// The kernels of the roofline against loops, and what is made of their times.
#include "cuda/roofline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "cuda/device_array.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

class RooflineKernels : public testing::Test {
 protected:
  const Device device_{0};
  const Stream stream_{device_};
};

TEST_F(RooflineKernels, CopyEveryVectorOnceAndNoMore) {
  for (const int64_t count : {1, 255, 256, 257, 512, 1500}) {
    SCOPED_TRACE(count);
    std::vector<float4> from, to(static_cast<size_t>(count) + 1, float4{-1, -1, -1, -1});
    for (int64_t i = 0; i < count; ++i) {
      const auto x = static_cast<float>(4 * i);
      from.push_back({x, x + 1, x + 2, x + 3});
    }
    from.push_back({-2, -2, -2, -2});
    const DeviceArray<float4> device_from(from, stream_);
    DeviceArray<float4> device_to(to, stream_);
    copy_vectors(stream_, 2, device_from.data(), device_to.data(), count);
    device_to.download(to);
    stream_.synchronize();
    for (int64_t i = 0; i < count; ++i) {
      const float4& x = to[static_cast<size_t>(i)];
      const auto wanted = static_cast<float>(4 * i);
      ASSERT_TRUE(x.x == wanted && x.y == wanted + 1 && x.z == wanted + 2 && x.w == wanted + 3) << "vector " << i;
    }
    EXPECT_EQ(to.back().x, -1);
  }
}

TEST_F(RooflineKernels, MultiplyAndAddAsOftenAsTheySay) {
  constexpr unsigned kBlocks = 2;
  for (const int64_t rounds : {0, 16, 48}) {
    SCOPED_TRACE(rounds);
    DeviceArray<float> on_device(kBlocks * kRooflineThreads, stream_);
    std::vector<float> sums(static_cast<size_t>(on_device.size()));
    multiply_add(stream_, kBlocks, 0.75f, 0.125f, rounds, on_device.data());
    on_device.download(sums);
    stream_.synchronize();
    float wanted = 0;
    for (int c = 0; c < kRooflineChains; ++c) {
      float x = static_cast<float>(c) + 0.125f;
      for (int64_t r = 0; r < rounds; ++r) x = std::fma(x, 0.75f, 0.125f);
      wanted += x;
    }
    for (const float sum : sums) ASSERT_EQ(sum, wanted);
  }
}

// A clock that lets the runs that are timed take these seconds, one after another.
class RooflineTimes : public testing::Test {
 protected:
  void let_runs_take(std::vector<double> seconds) {
    runs_ = std::move(seconds);
    events_ = 0;
    emulation::set_event_clock([this] {
      const size_t run = events_++ / 2;
      if (events_ % 2 == 0) now_ += run < runs_.size() ? runs_[run] : 1e-3;
      return now_;
    });
  }
  ~RooflineTimes() override { emulation::set_event_clock(nullptr); }

 private:
  std::vector<double> runs_;
  size_t events_ = 0;
  double now_ = 0;
};

TEST_F(RooflineTimes, AreTheFastestOfTheSmallestSizeThatTakesLongEnough) {
  // Six runs of a size, the first of which does not count: 2^14 vectors are too few, 2^16 are enough; 16 rounds are too few, 64 enough.
  let_runs_take({0.001, 0.004, 0.003, 0.002, 0.005, 0.006, 0.001, 0.030, 0.020, 0.040, 0.050, 0.060,  //
                 0.001, 0.009, 0.008, 0.007, 0.008, 0.009, 0.001, 0.070, 0.080, 0.050, 0.060, 0.090});
  const Device device(0);
  const Roofline roofline = measure_roofline(device);
  const double threads = device.properties().multiprocessors * 8.0 * kRooflineThreads;
  EXPECT_NEAR(roofline.bytes_per_second, 32 * 65536 / 0.020, 1e-3 * roofline.bytes_per_second);
  EXPECT_NEAR(roofline.flops_per_second, 2 * kRooflineChains * threads * 64 / 0.050, 1e-3 * roofline.flops_per_second);
}

// Where memory is short the largest copy that fits counts, however little time it takes; no time at all says nothing.
TEST_F(RooflineTimes, AreOfTheLargestCopyThatFits) {
  for (const double seconds : {0.002, 0.0}) {
    std::vector<double> runs(6, seconds);
    runs.resize(12, 0.5);
    let_runs_take(runs);
    const Device device(0);
    constexpr int64_t kBytes = 10000 * int64_t{16} * 2 * 4;  // a quarter of them holds 10,000 vectors twice over
    setenv("EMULATION_MEMORY", std::to_string(static_cast<int64_t>(emulation::living().bytes) + kBytes).c_str(), 1);
    const Roofline roofline = measure_roofline(device);
    unsetenv("EMULATION_MEMORY");
    EXPECT_NEAR(roofline.bytes_per_second, seconds > 0 ? 32 * 10000 / seconds : 0, 1e-3 * 32 * 10000 / 0.002);
  }
}

}  // namespace
}  // namespace bouquet::cuda
