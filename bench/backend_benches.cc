#include "bench/backend_benches.h"

#include "bench/explain_bench.h"
#include "bench/fold_in_bench.h"
#include "bench/rank_bench.h"
#include "bench/roofline_bench.h"
#include "bench/train_bench.h"

namespace bouquet::bench {

void add_backend_benches(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  add_rank_bench(bench, backends, exit_code);
  add_train_bench(bench, backends, exit_code);
  add_explain_bench(bench, backends, exit_code);
  add_fold_in_bench(bench, backends, exit_code);
  add_roofline_bench(bench, backends, exit_code);
}

}  // namespace bouquet::bench
