#include "cuda/devices.h"

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cusolverDn.h>

#include <cstdlib>
#include <string>

#include "cuda/check.h"
#include "cuda/device.h"
#include "engine/errors.h"

namespace bouquet::cuda {
namespace {

// 13000 is 13.0.
std::string version_text(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

// Empty where the variable is not set.
std::string visible_devices() {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  return visible == nullptr ? "" : std::string("CUDA_VISIBLE_DEVICES='") + visible + "'";
}

DeviceReport report_device(int index) {
  DeviceReport report;
  report.index = index;
  try {
    const DeviceProperties properties = properties_of(index);
    report.name = properties.name;
    report.capability = properties.capability;
    report.memory_bytes = properties.memory_bytes;
    report.memory_pools = properties.memory_pools;
  } catch (const CudaError& error) {
    report.cause = error.what();
  }
  return report;
}

// "13.1.0", of cublasGetProperty and its like.
template <typename Status>
std::string library_version(Status (*property)(libraryPropertyType, int*)) {
  int major = 0, minor = 0, patch = 0;
  property(MAJOR_VERSION, &major);
  property(MINOR_VERSION, &minor);
  property(PATCH_LEVEL, &patch);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

// Of the platform as a whole: what cudaGetDeviceCount says.
absl::Status status_of(const PlatformReport& report) {
  switch (report.error) {
    case cudaSuccess: break;
    case cudaErrorInsufficientDriver:
      if (report.driver_version == 0)
        return absl::UnavailableError("there is no NVIDIA driver on this machine; install one, or use --backend cpu");
      return no_resource("the NVIDIA driver is too old: it knows CUDA " + version_text(report.driver_version) + ", this build needs " +
                         version_text(report.runtime_version) + "; update the driver, or use --backend cpu");
    case cudaErrorNoDevice: break;
    default:
      if (const char* const way = way_out(static_cast<cudaError_t>(report.error)); way != nullptr)
        return no_resource("the NVIDIA driver is there but cannot be used: " + report.cause + "; " + way + ", or use --backend cpu");
      return absl::InternalError("the NVIDIA driver is there but does not work: " + report.cause +
                                 "; look at nvidia-smi, or use --backend cpu");
  }
  if (!report.devices.empty()) return absl::OkStatus();
  const std::string hidden = visible_devices();
  if (!hidden.empty()) return absl::UnavailableError(hidden + " hides every CUDA device; change or unset it, or use --backend cpu");
  return absl::UnavailableError("there is no CUDA device on this machine; use --backend cpu");
}

}  // namespace

PlatformReport report_devices() {
  PlatformReport report;
  cudaDriverGetVersion(&report.driver_version);
  cudaRuntimeGetVersion(&report.runtime_version);
  report.libraries = {{"cuBLAS", library_version(cublasGetProperty)}, {"cuSOLVER", library_version(cusolverGetProperty)}};
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  report.error = error;
  if (error != cudaSuccess) {
    report.cause = std::string(cudaGetErrorName(error)) + " (" + cudaGetErrorString(error) + ")";
    cudaGetLastError();
    count = 0;
  }
  for (int i = 0; i < count; ++i) report.devices.push_back(report_device(i));
  for (DeviceReport& device : report.devices)
    if (const absl::Status s = usable(report, device.index); !s.ok()) device.problem = message_of(s);
  if (const absl::Status s = status_of(report); !s.ok()) report.problem = message_of(s);
  return report;
}

std::string described(const DeviceReport& device) {
  const std::string number = "CUDA device " + std::to_string(device.index);
  if (device.capability == 0) return number;
  return number + " (" + device.name + ", compute capability " + std::to_string(device.capability / 10) + "." +
         std::to_string(device.capability % 10) + ")";
}

absl::Status usable(const PlatformReport& report, int index) {
  if (absl::Status s = status_of(report); !s.ok()) return s;
  const auto count = static_cast<int>(report.devices.size());
  if (index < 0 || index >= count)
    return wrong_usage("--device is " + std::to_string(index) + "; this machine shows " + std::to_string(count) +
                       (count == 1 ? " CUDA device: 0" : " CUDA devices: 0 to " + std::to_string(count - 1)));
  const DeviceReport& device = report.devices[static_cast<size_t>(index)];
  if (device.capability == 0) return absl::InternalError(described(device) + " does not answer: " + device.cause);
  if (device.capability < kOldestCapability)
    return no_resource(described(device) + " is too old: 7.5 or newer is needed; use --backend cpu");
  if (!device.memory_pools)
    return no_resource(described(device) +
                       " has no memory pools, which the cuda backend takes all memory from (of a virtual GPU: let it have unified memory); "
                       "use --backend cpu");
  return absl::OkStatus();
}

}  // namespace bouquet::cuda
