// The composition root of the conformance suite where the emulation plays the device: one backend, the CUDA one.
#include "cli/backends.h"

#include "cuda/cuda_backend.h"

namespace bouquet {

std::vector<std::string> backend_names() { return {"cuda"}; }

absl::StatusOr<std::unique_ptr<Backend>> make_backend(const BackendChoice&) { return cuda::make_cuda_backend(0); }

}  // namespace bouquet
