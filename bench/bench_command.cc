#include "bench/bench_command.h"

#include <CLI/CLI.hpp>

#include "bench/backend_benches.h"
#include "bench/live_bench.h"
#include "bench/read_bench.h"
#include "bench/serve_bench.h"
#include "bench/store_bench.h"

namespace bouquet::cli {

void add_bench_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  CLI::App* bench = app.add_subcommand("bench", "Measure this machine");
  bench->require_subcommand(1);
  bench::add_backend_benches(*bench, backends, exit_code);
  bench::add_live_bench(*bench, backends, exit_code);
  bench::add_read_bench(*bench, exit_code);
  bench::add_serve_bench(*bench, backends, exit_code);
  bench::add_store_bench(*bench, exit_code);
}

}  // namespace bouquet::cli
