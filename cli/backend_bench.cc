// `bouquet bench rank`, `train` and `fold-in` as a program of their own, for machines that have neither gRPC nor this repository.
#include <CLI/CLI.hpp>

#include "bench/backend_benches.h"
#include "cli/backends.h"

int main(int argc, char** argv) {
  CLI::App app{"What a backend does in a second"};
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  int exit_code = 0;
  bouquet::bench::add_backend_benches(app, bouquet::make_backend, exit_code);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
