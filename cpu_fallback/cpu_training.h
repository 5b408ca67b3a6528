// iALS on the CPU: exact half-steps, items first.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "cpu_fallback/thread_pool.h"
#include "engine/backend.h"

namespace bouquet::cpu {

// `interactions` outlive the session. Errors: InvalidArgument, ResourceExhausted.
absl::StatusOr<std::unique_ptr<TrainingSession>> start_cpu_training(const Interactions& interactions, const TrainingOptions& options,
                                                                    std::shared_ptr<ThreadPool> pool);

}  // namespace bouquet::cpu
