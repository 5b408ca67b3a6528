#include "bench/bench_command.h"

#include "bench/rank_bench.h"

namespace bouquet::bench {

void add_bench_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  CLI::App* bench = app.add_subcommand("bench", "Measure this program on this machine");
  bench->require_subcommand(1);
  add_rank_bench(*bench, backends, exit_code);
}

}  // namespace bouquet::bench
