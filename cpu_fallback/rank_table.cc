#include "cpu_fallback/rank_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bouquet::cpu {
namespace {

constexpr double kRoundUp = 1 + 1e-9;  // covers the rounding of any norm in double, with room
// What double arithmetic can add to |score - estimate| per |u| |y|: the rotation of both and the sum of d <= 1024 products.
constexpr double kDoubleRounding = 1e-12;

// The largest norm that one 16-bit lane of the scan sees of x [d].
double lane_norm(std::span<const double> x) {
  double largest = 0;
  for (size_t begin = 0; begin < x.size(); begin += kChunk) {
    double squares[2] = {0, 0};
    for (size_t j = begin; j < std::min(x.size(), begin + kChunk); ++j) squares[j % 4 / 2] += x[j] * x[j];
    largest = std::max({largest, squares[0], squares[1]});
  }
  return std::sqrt(largest);
}

double largest_entry(std::span<const double> x) {
  double largest = 0;
  for (const double v : x) largest = std::max(largest, std::fabs(v));
  return largest;
}

// The smallest scale whose codes keep the promises of scan_kernel.h. Rounding moves a lane's norm by at most half the root of its length.
double smallest_scale(std::span<const double> x, double lane_norm_limit, double code_limit) {
  const double lane_length = std::min<double>(static_cast<double>(x.size()), kChunk / 2);
  return std::max(lane_norm(x) / (lane_norm_limit - 0.5 * std::sqrt(lane_length)), largest_entry(x) / code_limit) * kRoundUp;
}

double norm_of(std::span<const float> x) {
  double squares = 0;
  for (const float v : x) squares += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(squares);
}

// Rotates, scales and rounds the rows of one block.
void encode_block(RankTable& table, int64_t block, std::vector<double>& rotated) {
  const auto d = static_cast<size_t>(table.rows.cols);
  const int64_t first = block * kBlockRows;
  const int64_t count = std::min<int64_t>(kBlockRows, table.rows.rows - first);
  rotated.resize(kBlockRows * d);
  RankBlock& out = table.blocks[static_cast<size_t>(block)];
  double scale = 0;
  for (int64_t r = 0; r < count; ++r) {
    const std::span<const float> row = table.rows.row(table.order[static_cast<size_t>(first + r)]);
    const std::span<double> turned(rotated.data() + static_cast<size_t>(r) * d, d);
    table.rotation.apply(row, turned);
    scale = std::max(scale, smallest_scale(turned, kRowLaneNorm, kRowCodeLimit));
    out.norm = std::max(out.norm, norm_of(row) * kRoundUp);
  }
  if (scale > 0) out.scale = scale;  // else all rows are zero: any scale is exact
  out.inverse_scale = 1 / out.scale;
  int8_t* codes = table.codes.data() + block * table.shape.block_bytes();
  int16_t* sums = table.sums.data() + block * table.shape.block_sums();
  for (int r = 0; r < count; ++r) {
    double error = 0;
    for (size_t j = 0; j < d; ++j) {
      const double value = rotated[static_cast<size_t>(r) * d + j];
      const double code = std::nearbyint(value * out.inverse_scale);
      error += (value - code * out.scale) * (value - code * out.scale);
      const int at = static_cast<int>(j);
      codes[table.shape.code_at(r, at)] = static_cast<int8_t>(code);
      sums[table.shape.sum_at(r, at / kChunk, at % 4 / 2)] -= static_cast<int16_t>(code);
    }
    out.error = std::max(out.error, std::sqrt(error) * kRoundUp);
  }
}

}  // namespace

std::shared_ptr<const RankTable> build_rank_table(MatrixView<const float> ranked, ThreadPool& pool) {
  auto table = std::make_shared<RankTable>();
  table->rows = ranked;
  table->rotation = Rotation(static_cast<int>(ranked.cols));
  table->shape.padded_dimension = static_cast<int>((ranked.cols + 3) / 4 * 4);

  std::vector<double> norms(static_cast<size_t>(ranked.rows));
  constexpr int64_t kRowsPerTask = 4096;
  pool.run((ranked.rows + kRowsPerTask - 1) / kRowsPerTask, [&](int, int64_t task) {
    for (int64_t r = task * kRowsPerTask; r < std::min(ranked.rows, (task + 1) * kRowsPerTask); ++r)
      norms[static_cast<size_t>(r)] = norm_of(ranked.row(r));
  });
  table->order.resize(static_cast<size_t>(ranked.rows));
  std::iota(table->order.begin(), table->order.end(), 0);
  std::sort(table->order.begin(), table->order.end(), [&](int32_t a, int32_t b) {
    const double x = norms[static_cast<size_t>(a)], y = norms[static_cast<size_t>(b)];
    return x > y || (x == y && a < b);
  });

  const int64_t blocks = (ranked.rows + kBlockRows - 1) / kBlockRows;
  table->blocks.resize(static_cast<size_t>(blocks));
  table->codes.resize(static_cast<size_t>(blocks * table->shape.block_bytes()));
  table->sums.resize(static_cast<size_t>(blocks * table->shape.block_sums()));
  std::vector<std::vector<double>> rotated(static_cast<size_t>(pool.size()));
  pool.run(blocks, [&](int worker, int64_t block) { encode_block(*table, block, rotated[static_cast<size_t>(worker)]); });
  return table;
}

QueryCode encode_query(const RankTable& table, std::span<const float> u, std::span<double> rotated, std::span<uint8_t> codes) {
  QueryCode code;
  table.rotation.apply(u, rotated);
  code.norm = norm_of(u) * kRoundUp;
  if (const double scale = smallest_scale(rotated, kQueryLaneNorm, kQueryCodeLimit); scale > 0) code.scale = scale;
  code.inverse_scale = 1 / code.scale;
  double error = 0, coded = 0;
  for (size_t j = 0; j < rotated.size(); ++j) {
    const double rounded = std::nearbyint(rotated[j] * code.inverse_scale);
    const double value = rounded * code.scale;
    error += (rotated[j] - value) * (rotated[j] - value);
    coded += value * value;
    codes[j] = static_cast<uint8_t>(static_cast<int>(rounded) + kCodeOffset);
  }
  for (size_t j = rotated.size(); j < codes.size(); ++j) codes[j] = kCodeOffset;
  code.error = std::sqrt(error) * kRoundUp + kDoubleRounding * code.norm;
  code.coded_norm = std::sqrt(coded) * kRoundUp;
  return code;
}

}  // namespace bouquet::cpu
