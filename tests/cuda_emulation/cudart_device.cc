// Devices and the names of errors: libcudart's functions that we call, declared by NVIDIA's own header.
#include <cuda_runtime_api.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "tests/cuda_emulation/runtime.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace emulation {
namespace {

thread_local int current = 0;
std::atomic<std::int64_t> strays = 0;

int device_count() { return std::getenv("EMULATION_NO_DEVICE") != nullptr ? 0 : environment_number("EMULATION_DEVICES", 1); }
bool is_device_number(int device) { return device >= 0 && device < device_count(); }

}  // namespace

int environment_number(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

int capability() { return environment_number("EMULATION_CAPABILITY", 90); }

int current_device() { return current; }
void expect_current(int device) {
  if (device != current) ++strays;
}
std::int64_t calls_on_another_device() { return strays; }

}  // namespace emulation

using namespace emulation;

extern "C" {

cudaError_t cudaDriverGetVersion(int* version) {
  *version = environment_number("EMULATION_DRIVER", CUDART_VERSION);
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (driver / 1000 < CUDART_VERSION / 1000) return noted(cudaErrorInsufficientDriver);
  *count = device_count();
  return *count == 0 ? noted(cudaErrorNoDevice) : cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  if (!is_device_number(device)) return noted(cudaErrorInvalidDevice);
  current = device;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* out, int device) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  if (!is_device_number(device)) return noted(cudaErrorInvalidDevice);
  *out = {};
  std::strcpy(out->name, "emulated");
  out->major = capability() / 10;
  out->minor = capability() % 10;
  out->totalGlobalMem = memory_capacity();
  out->multiProcessorCount = 2;
  out->warpSize = 32;
  out->maxThreadsPerBlock = 1024;
  out->sharedMemPerBlock = kMostShared;
  out->memoryPoolsSupported = std::getenv("EMULATION_NO_POOLS") == nullptr;
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  const cudaError_t error = counted_call();
  const Lock lock(runtime().mutex);
  run_all(nullptr);
  for (cudaStream_t stream : runtime().streams) run_all(stream);
  return error;
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorNoKernelImageForDevice: return "cudaErrorNoKernelImageForDevice";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    default: return "an error the emulation does not name";
  }
}
const char* cudaGetErrorString(cudaError_t) { return "emulated"; }

}  // extern "C"
