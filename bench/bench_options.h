// The flags that the benchmarks of a backend share, and what every run opens with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/call_times.h"
#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::bench {

struct BenchOptions {
  BackendChoice backend;
  std::string dtype = "f32";
  std::vector<int32_t> dimensions;
  Repeats repeats;
  uint64_t seed = 1;
  bool skip_roofline = false;
  bool json = false;
  std::string svg;  // a file to write; empty: none
};

void add_backend_options(CLI::App& command, BackendChoice& backend);
void add_bench_options(CLI::App& command, BenchOptions& options);
// For benchmarks whose calls are short.
void add_batch_options(CLI::App& command, BenchOptions& options, std::vector<int32_t>& batches);

// Errors: InvalidArgument (a dimension outside 1 to 1024; a batch outside 1 to `most_batch`).
absl::Status validate(const BenchOptions& options, const std::vector<int32_t>& batches, int32_t most_batch);

// Errors: Unimplemented (a dtype that the backend cannot do), the factory's.
absl::StatusOr<std::unique_ptr<Backend>> open_backend(const BenchOptions& options, const BackendFactory& backends);

// Switches the device's clock on where there is one. Errors: ResourceExhausted, Internal.
absl::Status time_on_device(TimedOnDevice& timed);

}  // namespace bouquet::bench
