// One side of a model as the ranker scans it: rows rotated, sorted by norm and rounded to 8 bits, beside the rows themselves.
// Built once when a model is loaded and shared by all its rankers. About d + 12 bytes per row (docs/algorithms/ranking.md).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cpu_fallback/aligned.h"
#include "cpu_fallback/rotation.h"
#include "cpu_fallback/scan_kernel.h"
#include "cpu_fallback/thread_pool.h"
#include "engine/views.h"

namespace bouquet::cpu {

// What the rows of one block have in common. A row y stands as y ~ scale * codes.
struct RankBlock {
  double scale = 1;
  double inverse_scale = 1;
  double norm = 0;   // largest |y|, rounded up
  double error = 0;  // largest |y - scale * codes|, rounded up
};

// Immutable.
struct RankTable {
  MatrixView<const float> rows;  // [N, d] as the model has them, borrowed: exact scores are computed from these
  Rotation rotation{1};
  ScanShape shape;                // of the codes of a row
  std::vector<int32_t> order;     // [N] row at each position; positions descend by norm
  std::vector<RankBlock> blocks;  // of kBlockRows positions each
  AlignedVector<int8_t> codes;    // [blocks, shape.block_bytes()] in the layout of scan_kernel.h
  AlignedVector<int16_t> sums;    // [blocks, shape.block_sums()] likewise

  int64_t block_count() const { return static_cast<int64_t>(blocks.size()); }
};

// `ranked` [N, d], every number finite, stays valid as long as the table lives.
std::shared_ptr<const RankTable> build_rank_table(MatrixView<const float> ranked, ThreadPool& pool);

// A query u as it is scanned: u ~ scale * (codes - kCodeOffset). Bounds are rounded up.
struct QueryCode {
  double scale = 1;
  double inverse_scale = 1;
  double norm = 0;        // |u|
  double error = 0;       // |u - u^|, and what rounding in double can add to a score, per |y|
  double coded_norm = 0;  // |u^|
};

// Writes the codes of u [shape.padded_dimension]; `rotated` [d] is scratch.
QueryCode encode_query(const RankTable& table, std::span<const float> u, std::span<double> rotated, std::span<uint8_t> codes);

}  // namespace bouquet::cpu
