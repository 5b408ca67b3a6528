// What a machine can lack or have wrong, and what is said of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "cuda/check.h"
#include "cuda/cuda_backend.h"
#include "cuda/devices.h"
#include "engine/device_loss.h"
#include "engine/errors.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

using testing::HasSubstr;

class Presence : public testing::Test {
 protected:
  void TearDown() override {
    for (const std::string& name : set_) unsetenv(name.c_str());
    emulation::fail_call(0);
  }
  void set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }
  static void expect_refused(int device, absl::StatusCode code, const std::string& message) {
    const absl::Status status = make_cuda_backend(device).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(message_of(status)), HasSubstr(message));
  }

 private:
  std::vector<std::string> set_;
};

TEST_F(Presence, ADeviceIsDescribed) {
  const auto backend = make_cuda_backend(0);
  ASSERT_TRUE(backend.ok()) << backend.status();
  EXPECT_EQ((*backend)->name(), "cuda");
  EXPECT_EQ((*backend)->description(), "cuda, emulated, device 0, compute capability 9.0");
  const PlatformReport report = report_devices();
  ASSERT_EQ(report.devices.size(), 1U);
  EXPECT_EQ(report.devices[0].capability, 90);
  EXPECT_EQ(report.devices[0].problem, "");
  EXPECT_EQ(report.problem, "");
}

TEST_F(Presence, NoDriver) {
  set("EMULATION_DRIVER", "0");
  expect_refused(0, absl::StatusCode::kUnavailable, "no NVIDIA driver");
}

TEST_F(Presence, ADriverThatIsTooOld) {
  set("EMULATION_DRIVER", "11080");
  expect_refused(0, absl::StatusCode::kResourceExhausted, "too old: it knows CUDA 11.8");
}

TEST_F(Presence, NoDevice) {
  set("EMULATION_NO_DEVICE", "1");
  expect_refused(0, absl::StatusCode::kUnavailable, "no CUDA device on this machine");
}

TEST_F(Presence, DevicesHiddenByAVariable) {
  set("EMULATION_NO_DEVICE", "1");
  set("CUDA_VISIBLE_DEVICES", "");
  expect_refused(0, absl::StatusCode::kUnavailable, "CUDA_VISIBLE_DEVICES='' hides every CUDA device");
}

TEST_F(Presence, ADeviceThatIsTooOld) {
  set("EMULATION_CAPABILITY", "70");
  expect_refused(0, absl::StatusCode::kResourceExhausted, "compute capability 7.0) is too old: 7.5 or newer is needed");
  EXPECT_THAT(report_devices().devices.at(0).problem, HasSubstr("7.5 or newer"));
}

TEST_F(Presence, TheOldestDeviceThatIsSupported) {
  set("EMULATION_CAPABILITY", "75");
  EXPECT_TRUE(make_cuda_backend(0).ok());
}

TEST_F(Presence, ABuildWithoutCodeForTheDevice) {
  set("EMULATION_CAPABILITY", "75");
  set("EMULATION_CODE", "80");
  emulation::unload_kernels();
  expect_refused(0, absl::StatusCode::kResourceExhausted, "opening CUDA device 0 (emulated, compute capability 7.5)");
  expect_refused(0, absl::StatusCode::kResourceExhausted, "BOUQUET_CUDA_ARCHITECTURES");
  EXPECT_FALSE(is_device_lost(make_cuda_backend(0).status()));
  set("EMULATION_CODE", "75");
  EXPECT_TRUE(make_cuda_backend(0).ok());
}

TEST_F(Presence, ADeviceWithoutMemoryPools) {
  set("EMULATION_NO_POOLS", "1");
  expect_refused(0, absl::StatusCode::kResourceExhausted, "has no memory pools");
  EXPECT_THAT(report_devices().devices.at(0).problem, HasSubstr("has no memory pools"));
}

TEST_F(Presence, ADeviceThatAnotherProcessHasForItself) {
  const int64_t before = emulation::calls_made();
  report_devices();
  emulation::fail_call(emulation::calls_made() - before + 1, cudaErrorDevicesUnavailable);  // the first call to the device itself
  const absl::Status status = make_cuda_backend(0).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(std::string(message_of(status)), HasSubstr("another process has the device"));
}

TEST(Faults, WhatCannotBeUsedIsNeitherLostNorABug) {
  for (const cudaError_t error : {cudaErrorNoKernelImageForDevice, cudaErrorInvalidKernelImage, cudaErrorUnsupportedPtxVersion,
                                  cudaErrorInvalidDeviceFunction, cudaErrorDevicesUnavailable, cudaErrorSystemNotReady})
    EXPECT_EQ(fault_of(error), Fault::kUnusable) << error;
  for (const cudaError_t error : {cudaErrorIllegalAddress, cudaErrorLaunchFailure, cudaErrorECCUncorrectable, cudaErrorUnknown})
    EXPECT_EQ(fault_of(error), Fault::kLost) << error;
  EXPECT_EQ(fault_of(cudaErrorMemoryAllocation), Fault::kFull);
  EXPECT_EQ(fault_of(cudaErrorInvalidValue), Fault::kBug);
}

TEST_F(Presence, ADeviceNumberThatDoesNotExist) {
  for (const int device : {-1, 1, 7})
    expect_refused(device, absl::StatusCode::kInvalidArgument,
                   "--device is " + std::to_string(device) + "; this machine shows 1 CUDA device: 0");
}

TEST_F(Presence, ABrokenDriverIsNotAnAbsentOne) {
  emulation::fail_call(1, cudaErrorUnknown);  // the first call that can fail asks for the devices
  expect_refused(0, absl::StatusCode::kInternal, "does not work");
}

TEST_F(Presence, ADriverThatCannotBeUsedIsSaidWithTheWayOut) {
  const std::pair<cudaError_t, const char*> ways[] = {{cudaErrorInitializationError, "restart the machine"},
                                                      {cudaErrorSystemNotReady, "start nvidia-fabricmanager"},
                                                      {cudaErrorSystemDriverMismatch, "different versions"},
                                                      {cudaErrorCompatNotSupportedOnDevice, "cuda-compat"}};
  for (const auto& [error, way] : ways) {
    emulation::fail_call(1, error);
    expect_refused(0, absl::StatusCode::kResourceExhausted, way);
  }
}

TEST_F(Presence, ADeviceThatDoesNotAnswer) {
  emulation::fail_call(2, cudaErrorIllegalAddress);  // the second asks for the first device's properties
  expect_refused(0, absl::StatusCode::kInternal, "does not answer");
}

}  // namespace
}  // namespace bouquet::cuda
