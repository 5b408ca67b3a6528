// A model as the CPU backend holds it: the arrays shared with whoever loaded it, and what ranking and fold-in prepare from them.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "cpu_fallback/thread_pool.h"
#include "engine/backend.h"

namespace bouquet::cpu {

// Errors: InvalidArgument (validate() refuses the model), ResourceExhausted.
absl::StatusOr<std::shared_ptr<const LoadedModel>> load_cpu_model(const Model& model, std::shared_ptr<ThreadPool> pool);

}  // namespace bouquet::cpu
