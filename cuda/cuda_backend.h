// The same engine on an NVIDIA GPU. The program opens it as a module (module.cc); tests that play the device link it.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "engine/backend.h"

namespace bouquet::cuda {

// The backend on device `index`, counted among those that CUDA_VISIBLE_DEVICES shows. Errors: Unavailable (no driver, no device),
// InvalidArgument (no such device), ResourceExhausted (a driver or a device that is too old, a device that is full, has no memory pools or
// that this build cannot use), Internal (a broken device).
absl::StatusOr<std::unique_ptr<Backend>> make_cuda_backend(int index);

}  // namespace bouquet::cuda
