#include "cuda/status.h"

#include "engine/device_loss.h"
#include "engine/errors.h"

namespace bouquet::cuda {

absl::Status to_status(const CudaError& error, const std::string& doing) {
  const std::string what = doing + ": " + error.what();
  switch (error.fault()) {
    case Fault::kFull: return absl::ResourceExhaustedError(what + "; the device's memory is full");
    case Fault::kAbsent: return absl::UnavailableError(what + "; there is no CUDA device to use");
    case Fault::kUnusable: return no_resource(what + "; or use --backend cpu");
    case Fault::kLost: return device_lost(what + "; this process has lost the device and must be started again to get it back");
    case Fault::kBug: break;
  }
  return absl::InternalError(what + "; this is a bug, please report it");
}

}  // namespace bouquet::cuda
