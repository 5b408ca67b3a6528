// Devices and the names of errors: libcudart's functions that we call, declared by NVIDIA's own header.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>

#include "tests/cuda_emulation/runtime.h"

namespace {

constexpr std::size_t kDefaultShared = 48 << 10, kMaxShared = 227 << 10;  // as compute capability 9.0

bool hidden() { return std::getenv("EMULATION_NO_DEVICE") != nullptr; }

int environment_number(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

}  // namespace

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
  *count = hidden() ? 0 : 1;
  return hidden() ? noted(cudaErrorNoDevice) : cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  return device == 0 ? cudaSuccess : noted(cudaErrorInvalidDevice);
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* out, int device) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  if (device != 0) return noted(cudaErrorInvalidDevice);
  *out = {};
  std::strcpy(out->name, "emulated");
  const int capability = environment_number("EMULATION_CAPABILITY", 90);
  out->major = capability / 10;
  out->minor = capability % 10;
  out->totalGlobalMem = memory_capacity();
  out->multiProcessorCount = 2;
  out->warpSize = 32;
  out->maxThreadsPerBlock = 1024;
  out->sharedMemPerBlock = kDefaultShared;
  out->sharedMemPerBlockOptin = kMaxShared;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount: *value = 2; return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = kMaxShared; return cudaSuccess;
    default: return noted(cudaErrorInvalidValue);
  }
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
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    default: return "an error the emulation does not name";
  }
}
const char* cudaGetErrorString(cudaError_t) { return "emulated"; }

}  // extern "C"
