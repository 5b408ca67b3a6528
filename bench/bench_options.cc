#include "bench/bench_options.h"

#include <CLI/CLI.hpp>

#include "engine/errors.h"
#include "engine/unsupported_options.h"

namespace bouquet::bench {

void add_backend_options(CLI::App& command, BackendChoice& backend) {
  command.add_option("--backend", backend.name, "auto, cpu or cuda")->capture_default_str();
  command.add_option("--device", backend.device, "Which GPU of the cuda backend, from 0")->capture_default_str();
  command.add_option("--threads", backend.threads, "Threads of the cpu backend, 0 for all")->capture_default_str();
}

void add_bench_options(CLI::App& command, BenchOptions& options) {
  command.add_option("--dimension", options.dimensions, "d, 1 to 1024; several, apart by commas, are measured one after the other")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--dtype", options.dtype, "Of the vectors: f32")->capture_default_str();
  add_backend_options(command, options.backend);
  command.add_option("--seed", options.seed, "Of everything that is made up")->capture_default_str();
  command.add_option("--warm-up", options.repeats.warm_up, "Calls before the first that is timed")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command.add_flag("--no-roofline", options.skip_roofline, "Do not measure the hardware's ceilings first, and leave out the share of them");
  command.add_option("--svg", options.svg, "Also write a plot of medians and spreads")->type_name("FILE");
  command.add_flag("--json", options.json, "One JSON document on stdout");
}

void add_batch_options(CLI::App& command, BenchOptions& options, std::vector<int32_t>& batches) {
  command.add_option("--batch", batches, "How many in one call; several, apart by commas, are measured one after the other")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--repetitions", options.repeats.repetitions, "Timed calls of each size; 0: what fits in a second, 7 to 20000")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
}

absl::Status validate(const BenchOptions& options, const std::vector<int32_t>& batches, int32_t most_batch) {
  for (const int32_t d : options.dimensions)
    if (d < 1 || d > kMaxDimension)
      return wrong_usage("--dimension " + std::to_string(d) + " is outside 1 to " + std::to_string(kMaxDimension));
  for (const int32_t batch : batches)
    if (batch < 1 || batch > most_batch)
      return wrong_usage("--batch " + std::to_string(batch) + " is outside 1 to " + std::to_string(most_batch));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Backend>> open_backend(const BenchOptions& options, const BackendFactory& backends) {
  auto backend = backends(options.backend);
  if (!backend.ok() || options.dtype == "f32") return backend;
  if (absl::Status s = check_supported((*backend)->name(), "dtype", options.dtype); !s.ok()) return s;
  return backend;
}

absl::Status time_on_device(TimedOnDevice& timed) {
  absl::Status s = timed.time_on_device();
  return absl::IsUnimplemented(s) ? absl::OkStatus() : s;
}

}  // namespace bouquet::bench
