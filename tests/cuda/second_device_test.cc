// A machine with several devices: all that is done for one is done on it, whatever device the thread had before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cuda/cuda_backend.h"
#include "cuda/device_array.h"
#include "cuda/devices.h"
#include "cuda/libraries.h"
#include "engine/errors.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

class SecondDevice : public testing::Test {
 protected:
  void SetUp() override {
    setenv("EMULATION_DEVICES", "2", 1);
    strays_ = emulation::calls_on_another_device();
    before_ = emulation::living();
  }
  void TearDown() override {
    EXPECT_EQ(emulation::living(), before_);
    unsetenv("EMULATION_DEVICES");
  }
  int64_t strays() const { return emulation::calls_on_another_device() - strays_; }

  // In a thread that has the first device.
  static void elsewhere(const std::function<void()>& body) { std::thread(body).join(); }

 private:
  int64_t strays_ = 0;
  emulation::Living before_{};
};

TEST_F(SecondDevice, IsTakenByItsNumber) {
  EXPECT_EQ(report_devices().devices.size(), 2U);
  EXPECT_EQ((*make_cuda_backend(1))->description(), "cuda, emulated, device 1, compute capability 9.0");
  EXPECT_THAT(std::string(message_of(make_cuda_backend(2).status())), testing::HasSubstr("this machine shows 2 CUDA devices: 0 to 1"));
}

TEST_F(SecondDevice, IsTheOneOfEveryCallUpToTheLastDestructor) {
  const Interactions shop = shaped_rows({3, 0, 6, 33}, 40, true);
  std::unique_ptr<Backend> backend;
  std::unique_ptr<TrainingSession> session;
  std::shared_ptr<const LoadedModel> model;
  std::unique_ptr<Ranker> ranker;
  std::unique_ptr<Profiler> profiler;
  TrainingOptions options;
  options.dimension = 33;
  elsewhere([&] { backend = *make_cuda_backend(1); });
  elsewhere([&] { session = *backend->start_training(shop, options); });
  elsewhere([&] { ASSERT_TRUE(session->run_epoch().ok()); });
  elsewhere([&] { model = *backend->load(*session->snapshot()); });
  elsewhere([&] { ranker = *model->make_ranker(Side::kItems, {.max_batch = 2, .max_k = 5}); });
  elsewhere([&] { profiler = *model->make_profiler({.max_batch = 2}); });
  elsewhere([&] {
    const std::vector<int32_t> rows{0, 1};
    std::vector<int32_t> best(10);
    std::vector<float> scores(10);
    EXPECT_TRUE(ranker->rank({.rows = rows, .k = 5}, {best, scores}).ok());
  });
  elsewhere([&] {
    const std::vector<int64_t> offsets{0, 2};
    const std::vector<int32_t> items{1, 4};
    const std::vector<float> confidences{1, 2};
    std::vector<float> profile(33);
    EXPECT_TRUE(profiler->solve({offsets, items, confidences, {}}, {{profile.data(), 1, 33}}).ok());
  });
  elsewhere([&] { EXPECT_GT(backend->memory_used(), 0); });
  elsewhere([&] { session.reset(); });
  elsewhere([&] { ranker.reset(); });
  elsewhere([&] { profiler.reset(); });
  elsewhere([&] { model.reset(); });
  elsewhere([&] { backend.reset(); });
  EXPECT_EQ(strays(), 0);
}

TEST_F(SecondDevice, IsTheOneOfALibrarysHandle) {
  elsewhere([&] {
    const Device device(1);
    const Stream stream(device);
    auto blas = std::make_unique<BlasHandle>(stream);
    auto solver = std::make_unique<SolverHandle>(stream);
    const Device other(0);  // which is the thread's from here on
    blas.reset();
    other.use();
    solver.reset();
    EXPECT_EQ(strays(), 0);
    device.use();
  });
}

// The control.
TEST_F(SecondDevice, ACallOfAThreadThatHasTheFirstOneIsSeen) {
  elsewhere([&] {
    const Device device(1);
    const Stream stream(device);
    elsewhere([&] { stream.synchronize(); });
    EXPECT_EQ(strays(), 1);
  });
}

}  // namespace
}  // namespace bouquet::cuda
