// One side of a model as the ranker scans it. Built once when a model is loaded and shared by all its rankers.
#pragma once

#include <memory>

#include "cpu_fallback/thread_pool.h"
#include "engine/views.h"

namespace bouquet::cpu {

// Immutable.
struct RankTable {
  MatrixView<const float> rows;  // [N, d] as the model has them, borrowed: exact scores are computed from these
};

// `ranked` [N, d], every number finite, stays valid as long as the table lives.
std::shared_ptr<const RankTable> build_rank_table(MatrixView<const float> ranked, ThreadPool& pool);

}  // namespace bouquet::cpu
