#include "cpu_fallback/rank_table.h"

namespace bouquet::cpu {

std::shared_ptr<const RankTable> build_rank_table(MatrixView<const float> ranked, ThreadPool&) {
  auto table = std::make_shared<RankTable>();
  table->rows = ranked;
  return table;
}

}  // namespace bouquet::cpu
