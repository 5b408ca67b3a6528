// A model as the CUDA backend holds it.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "cuda/device.h"
#include "engine/backend.h"

namespace bouquet::cuda {

// Errors: InvalidArgument (validate() refuses the model), ResourceExhausted, Internal.
absl::StatusOr<std::shared_ptr<const LoadedModel>> load_cuda_model(const Model& model, std::shared_ptr<const Device> device);

}  // namespace bouquet::cuda
