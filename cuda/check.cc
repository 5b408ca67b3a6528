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

Fault fault_of(cudaError_t code) {
  switch (code) {
    case cudaErrorMemoryAllocation: return Fault::kFull;
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorStubLibrary: return Fault::kAbsent;
    case cudaErrorInvalidValue:
    case cudaErrorInvalidConfiguration:
    case cudaErrorInvalidDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorInvalidResourceHandle:
    case cudaErrorLaunchOutOfResources:
    case cudaErrorNotSupported: return Fault::kBug;
    default: return Fault::kLost;
  }
}

void throw_cuda_error(cudaError_t code, std::source_location at) {
  cudaGetLastError();  // an error that is not sticky must not turn up at the next launch
  throw CudaError(fault_of(code), std::string(cudaGetErrorName(code)) + " (" + cudaGetErrorString(code) + ") at " +
                                      std::string(short_path(at.file_name())) + ":" + std::to_string(at.line()));
}

}  // namespace bouquet::cuda
