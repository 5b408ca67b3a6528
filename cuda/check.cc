#include "cuda/check.h"

#include <string_view>

namespace bouquet::cuda {
namespace {

// From the root of the sources, wherever they were compiled.
std::string_view short_path(std::string_view path) {
  const size_t folder = path.rfind("cuda/");
  return folder == std::string_view::npos ? path : path.substr(folder);
}

}  // namespace

const char* way_out(cudaError_t code) {
  switch (code) {
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorInvalidKernelImage:
      return "this build has no code for a device of that compute capability: build with it in BOUQUET_CUDA_ARCHITECTURES";
    case cudaErrorInvalidPtx:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilerNotFound:
    case cudaErrorJitCompilationDisabled:
      return "this build has code that the driver would have to translate for the device, and cannot: build with its compute capability in "
             "BOUQUET_CUDA_ARCHITECTURES, or update the driver";
    case cudaErrorDevicesUnavailable: return "another process has the device for itself: nvidia-smi shows which one, and the compute mode";
    case cudaErrorSystemNotReady: return "the driver's services do not run yet: on machines with NVSwitch, start nvidia-fabricmanager";
    case cudaErrorInitializationError: return "the driver does not start in this process: look at nvidia-smi, or restart the machine";
    case cudaErrorSystemDriverMismatch:
      return "the parts of the driver are of different versions: install it again, or restart the machine";
    case cudaErrorCompatNotSupportedOnDevice:
      return "the driver's forward compatibility does not extend to this device: take the cuda-compat folder out of LD_LIBRARY_PATH, or "
             "update the driver";
    case cudaErrorCallRequiresNewerDriver: return "the driver is too old for this build: update it";
    case cudaErrorDeviceNotLicensed: return "the virtual GPU has no licence: look at nvidia-smi -q";
    case cudaErrorMpsConnectionFailed:
    case cudaErrorMpsServerNotReady:
    case cudaErrorMpsMaxClientsReached:
    case cudaErrorMpsMaxConnectionsReached: return "the MPS server does not take this process: start it again, or let it have more clients";
    default: return nullptr;
  }
}

Fault fault_of(cudaError_t code) {
  switch (code) {
    case cudaErrorMemoryAllocation: return Fault::kFull;
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorStubLibrary: return Fault::kAbsent;
    case cudaErrorInvalidValue:
    case cudaErrorInvalidConfiguration:
    case cudaErrorInvalidDevice:
    case cudaErrorInvalidResourceHandle:
    case cudaErrorLaunchOutOfResources:
    case cudaErrorNotReady:
    case cudaErrorNotSupported: return Fault::kBug;
    default: return way_out(code) == nullptr ? Fault::kLost : Fault::kUnusable;
  }
}

void throw_cuda_error(cudaError_t code, std::source_location at) {
  cudaGetLastError();  // an error that is not sticky must not turn up at the next launch
  std::string what = std::string(cudaGetErrorName(code)) + " (" + cudaGetErrorString(code) + ") at " +
                     std::string(short_path(at.file_name())) + ":" + std::to_string(at.line());
  if (const char* way = way_out(code); way != nullptr) what += std::string("; ") + way;
  throw CudaError(fault_of(code), what);
}

}  // namespace bouquet::cuda
