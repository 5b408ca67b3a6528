// The reference backend: readable, multi-threaded, vectorised for the CPU at hand. Every other backend is compared with it.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "engine/backend.h"

namespace bouquet::cpu {

// A backend with its own pool of `threads` threads (0: as many as the machine has). The same data, seed, options and instruction
// set give the same bits at any number of threads. Errors: InvalidArgument (threads outside 0 to 1024).
absl::StatusOr<std::unique_ptr<Backend>> make_cpu_backend(int32_t threads);

}  // namespace bouquet::cpu
