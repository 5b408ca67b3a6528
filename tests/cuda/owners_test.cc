// Owners of CUDA's resources: what they hold they give back, and they keep the order of streams.
#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "cuda/device_array.h"
#include "cuda/launch.h"
#include "cuda/libraries.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

std::vector<int32_t> numbers(size_t count) {
  std::vector<int32_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

class Owners : public testing::Test {
 protected:
  void SetUp() override { before_ = emulation::living(); }
  void TearDown() override { EXPECT_EQ(emulation::living(), before_) << "something was not given back"; }
  emulation::Living before_{};
};

TEST_F(Owners, AnArrayKeepsWhatWasUploaded) {
  const Device device(0);
  const Stream stream(device);
  const std::vector<int32_t> source = numbers(1000);
  const DeviceArray<int32_t> array(std::span<const int32_t>(source), stream);
  std::vector<int32_t> back(1000);
  array.download(back);
  stream.synchronize();
  EXPECT_EQ(back, source);
}

TEST_F(Owners, AMovedArrayIsFreedOnce) {
  const Device device(0);
  const Stream stream(device);
  DeviceArray<int32_t> first(10, stream), second(20, stream);
  const int32_t* const kept = second.data();
  DeviceArray<int32_t> third = std::move(first);
  third = std::move(second);
  EXPECT_EQ(third.data(), kept);
  EXPECT_EQ(third.size(), 20);
}

TEST_F(Owners, MemoryComesFromTheDevicesPoolAndIsCounted) {
  const Device device(0);
  const Stream stream(device);
  {
    const DeviceArray<double> array(1000, stream);
    EXPECT_EQ(device.used_bytes(), 8000);
  }
  stream.synchronize();
  EXPECT_EQ(device.used_bytes(), 0);
  EXPECT_EQ(device.most_used_bytes(), 8000);
  EXPECT_GT(device.free_bytes(), 8000);
}

TEST_F(Owners, WhatThePoolHoldsIdleIsFreeForItsArraysAndForOthersOnceItIsGivenBack) {
  const Device device(0), other(0);
  const Stream stream(device);
  const int64_t free = device.free_bytes();
  { const DeviceArray<double> array(1000, stream); }
  stream.synchronize();
  EXPECT_EQ(device.free_bytes(), free);
  EXPECT_EQ(other.free_bytes(), free - 8000);
  device.give_back();
  EXPECT_EQ(other.free_bytes(), free);
}

TEST_F(Owners, PinnedMemoryThatRunsOutIsTheHosts) {
  emulation::fail_call(1);
  EXPECT_THROW(PinnedArray<int32_t>(10), std::bad_alloc);
  emulation::fail_call(0);
}

TEST_F(Owners, ALibraryThatDoesNotStartIsAFullDeviceOrALostOne) {
  const Device device(0);
  const Stream stream(device);
  const auto fault = [&](auto make, int64_t call, cudaError_t error, emulation::Failing failing) {
    emulation::fail_call(call, error, failing);
    try {
      make();
      ADD_FAILURE() << "no error";
    } catch (const CudaError& thrown) {
      emulation::fail_call(0);
      return thrown.fault();
    }
    return Fault::kBug;
  };
  const auto solver = [&] { const SolverHandle handle(stream); };
  const auto blas = [&] { const BlasHandle handle(stream); };
  // Three calls go before the library's own, and for cuBLAS one more, of its workspace.
  EXPECT_EQ(fault(solver, 4, cudaErrorMemoryAllocation, emulation::Failing::kOnce), Fault::kFull);
  EXPECT_EQ(fault(solver, 4, cudaErrorIllegalAddress, emulation::Failing::kFromThenOn), Fault::kLost);
  EXPECT_EQ(fault(blas, 5, cudaErrorMemoryAllocation, emulation::Failing::kOnce), Fault::kFull);
  EXPECT_EQ(fault(blas, 5, cudaErrorIllegalAddress, emulation::Failing::kFromThenOn), Fault::kLost);
}

TEST_F(Owners, ACopyPastTheEndIsABug) {
  const Device device(0);
  const Stream stream(device);
  DeviceArray<int32_t> array(9, stream);
  const std::vector<int32_t> ten = numbers(10);
  try {
    array.upload(ten);
    FAIL() << "no error";
  } catch (const CudaError& error) {
    EXPECT_EQ(error.fault(), Fault::kBug);
    EXPECT_NE(std::string(error.what()).find("owners_test.cc"), std::string::npos) << error.what();
  }
}

TEST_F(Owners, MoreMemoryThanThereIsIsAFullDevice) {
  const Device device(0);
  const Stream stream(device);
  try {
    const DeviceArray<char> array(int64_t{1} << 50, stream);
    FAIL() << "no error";
  } catch (const CudaError& error) {
    EXPECT_EQ(error.fault(), Fault::kFull);
  }
  const DeviceArray<char> still_works(100, stream);
}

TEST_F(Owners, AStreamWaitsForTheEventOfAnother) {
  const Device device(0);
  const Stream one(device), other(device);
  const std::vector<int32_t> source = numbers(1000);
  DeviceArray<int32_t> first(1000, one), second(1000, other);
  Event uploaded;
  first.upload(source);
  uploaded.record(one);
  uploaded.make_wait(other);
  check(cudaMemcpyAsync(second.data(), first.data(), 4000, cudaMemcpyDeviceToDevice, other.get()));
  std::vector<int32_t> back(1000);
  second.download(back);
  other.synchronize();
  EXPECT_EQ(back, source);
}

TEST_F(Owners, EventsMeasureTime) {
  const Device device(0);
  const Stream stream(device);
  Event begin(Timing::kOn), end(Timing::kOn);
  begin.record(stream);
  end.record(stream);
  end.synchronize();
  EXPECT_GE(end.seconds_since(begin), 0);
}

TEST_F(Owners, AnEventThatHasNotHappenedTellsNoTime) {
  const Device device(0);
  const Stream stream(device);
  Event begin(Timing::kOn), end(Timing::kOn), without;
  begin.record(stream);
  EXPECT_THROW(end.seconds_since(begin), CudaError) << "never recorded";
  end.record(stream);
  EXPECT_THROW(end.seconds_since(begin), CudaError) << "not waited for";
  without.record(stream);
  stream.synchronize();
  EXPECT_THROW(without.seconds_since(begin), CudaError) << "made without a clock";
}

TEST_F(Owners, LibraryHandlesAreBoundToTheirStream) {
  const Device device(0);
  const Stream stream(device);
  const BlasHandle blas(stream);
  const SolverHandle solver(stream);
  cudaStream_t bound = nullptr;
  check(cublasGetStream(blas.get(), &bound));
  EXPECT_EQ(bound, stream.get());
}

TEST(BlockCount, HoldsEveryElementUpToTheGridsLimit) {
  EXPECT_EQ(block_count(0, 256), 1U);
  EXPECT_EQ(block_count(256, 256), 1U);
  EXPECT_EQ(block_count(257, 256), 2U);
  const int64_t most = int64_t{std::numeric_limits<int32_t>::max()} * 256;
  EXPECT_EQ(block_count(most, 256), 2147483647U);
  EXPECT_THROW(block_count(most + 1, 256), CudaError);
}

}  // namespace
}  // namespace bouquet::cuda
