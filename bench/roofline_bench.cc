#include "bench/roofline_bench.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/bench_options.h"
#include "bench/machine.h"
#include "engine/errors.h"

namespace bouquet::bench {
namespace {

struct Options {
  BackendChoice backend;
  bool json = false;
};

absl::Status run(const Options& options, const BackendFactory& backends) {
  const auto backend = backends(options.backend);
  if (!backend.ok()) return backend.status();
  const auto roofline = (*backend)->measure_roofline();
  if (!roofline.ok()) return roofline.status();
  const double gigabytes = roofline->bytes_per_second * 1e-9, gigaflops = roofline->flops_per_second * 1e-9;
  const double ridge = gigaflops / gigabytes;
  if (options.json) {
    const nlohmann::ordered_json document = {
        {"benchmark", "roofline"},    {"machine", describe_machine()}, {"backend", (*backend)->description()},
        {"gb_per_second", gigabytes}, {"gflop_per_second", gigaflops}, {"flops_per_byte_at_the_ridge", ridge}};
    std::printf("%s\n", document.dump(2).c_str());
    return absl::OkStatus();
  }
  std::printf("%s\n%s\nmemory      %10.1f GB/s\narithmetic  %10.1f GFLOP/s in single precision\nridge       %10.2f flops per byte\n",
              describe_machine().c_str(), (*backend)->description().c_str(), gigabytes, gigaflops, ridge);
  return absl::OkStatus();
}

}  // namespace

void add_roofline_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand("roofline", "What the hardware under a backend can do at most, measured");
  add_backend_options(*command, options->backend);
  command->add_flag("--json", options->json, "One JSON document on stdout");
  command->footer("Example: bouquet bench roofline --backend cpu --threads 2");
  command->callback([options, backends, &exit_code] { exit_code = report(run(*options, backends)); });
}

}  // namespace bouquet::bench
