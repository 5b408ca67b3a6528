// `bouquet bench rank`, `train` and `fold-in` as a program of their own, for machines that have neither gRPC nor this repository; and what
// `bouquet doctor --json` says of CUDA.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/backend_benches.h"
#include "cli/backends.h"
#include "cli/cuda_diagnosis.h"
#include "cli/cuda_module.h"

int main(int argc, char** argv) {
  CLI::App app{"What a backend does in a second"};
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  int exit_code = 0;
  bouquet::bench::add_backend_benches(app, bouquet::make_backend, exit_code);
  app.add_subcommand("cuda", "What this machine has of CUDA, as JSON")->callback([] {
    std::printf("%s\n", bouquet::cli::as_json(bouquet::cli::diagnose_cuda(bouquet::cuda_module_path())).dump(2).c_str());
  });
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
