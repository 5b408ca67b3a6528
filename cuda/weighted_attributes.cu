#include "cuda/weighted_attributes.h"

#include <algorithm>

#include "cuda/device_ops.h"
#include "cuda/launch.h"
#include "cuda/wait_at_exit.h"
#include "engine/attribute_fit.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kColumns = 128;                        // of the table that a block of the sparse products takes, and a turn of them
constexpr int kGramThreads = 64;                     // about as many as a row has sparse entries
constexpr int64_t kChunkDoubles = int64_t{1} << 22;  // 32 MB of rows in double at a time
constexpr int64_t kSumDoubles = int64_t{1} << 21;    // 16 MB of partial sums
constexpr int64_t kMostParts = 32;

// How the dense products of W columns with N are cut: chunks of `parts` partitions of `part_rows` rows.
struct DenseCut {
  DenseCut(int64_t rows, int64_t left, int64_t right)
      : parts(static_cast<int32_t>(std::clamp<int64_t>(kSumDoubles / (left * right), 1, kMostParts))),
        part_rows(std::clamp<int64_t>(kChunkDoubles / ((left + right) * parts), 1, std::max<int64_t>(1, (rows + parts - 1) / parts))),
        chunk_doubles(parts * part_rows * (left + right)),
        sum_doubles(parts == 1 ? 0 : parts * left * right) {}

  int32_t parts;
  int64_t part_rows, chunk_doubles, sum_doubles;
};

// What the dense products need at most, of a side with `width` dense columns, the intercept among them.
struct DenseRoom {
  DenseRoom(int64_t rows, int32_t width, int32_t widest, bool with_gram) {
    const DenseCut cut(rows, width, widest);
    chunk = cut.chunk_doubles;
    sums = cut.sum_doubles;
    if (!with_gram) return;
    const DenseCut of_gram(rows, width, width);
    chunk = std::max(chunk, of_gram.chunk_doubles);
    sums = std::max(sums, of_gram.sum_doubles);
  }
  int64_t chunk, sums;
};

__device__ __forceinline__ double value_at(const ProductTable& table, int64_t row, int column) {
  return column < table.width ? static_cast<double>(table.values[row * table.stride + column]) : 1.0;
}

// One thread: one element of a chunk [.., columns] in double, times the row's weight where there are weights; zeros past the rows.
__global__ void weigh_rows_kernel(const ProductTable table, const double* weights, int64_t first_row, int64_t rows, int columns,
                                  int64_t count, double* chunk) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= count) return;
  const int64_t row = first_row + e / columns;
  double value = 0;
  if (row < rows) value = value_at(table, row, static_cast<int>(e % columns)) * (weights == nullptr ? 1.0 : weights[row]);
  chunk[e] = value;
}

// One thread: one element of the product, from its partial sums in order.
__global__ void add_partitions_kernel(const double* sums, int parts, int columns, int64_t size, double* out, int64_t row_length) {
  const int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (e >= size) return;
  double sum = 0;
  for (int p = 0; p < parts; ++p) sum += sums[p * size + e];
  out[e / columns * row_length + e % columns] = sum;
}

struct SparseArguments {
  const SparseSegment* segments;
  const SplitColumn* splits;
  const int32_t* rows;
  const double* values;
  ProductTable table;
  int first_column, columns;  // of the table: this turn's
  double* out;                // row 0 is the first sparse column's
  int64_t row_length;
  double* partial;  // [slots, kColumns]
};

// One block: one segment; a thread: one column of the table. Floor: entries times 4 d bytes of the table, from L2 where it fits.
__global__ void __launch_bounds__(kColumns) sum_segments_kernel(const SparseArguments a) {
  const SparseSegment segment = a.segments[blockIdx.x];
  const int own = static_cast<int>(threadIdx.x), column = a.first_column + own;
  if (own >= a.columns) return;
  double sum = 0;
#pragma unroll 8
  for (int k = 0; k < segment.count; ++k) sum += a.values[segment.begin + k] * value_at(a.table, a.rows[segment.begin + k], column);
  if (segment.slot < 0)
    a.out[segment.column * a.row_length + column] = sum;
  else
    a.partial[int64_t{segment.slot} * kColumns + own] = sum;
}

// One block: one column that is in several segments.
__global__ void __launch_bounds__(kColumns) add_segments_kernel(const SparseArguments a) {
  const SplitColumn split = a.splits[blockIdx.x];
  const int own = static_cast<int>(threadIdx.x);
  if (own >= a.columns) return;
  double sum = 0;
#pragma unroll 4
  for (int64_t slot = split.first_slot; slot < split.first_slot + split.slots; ++slot) sum += a.partial[slot * kColumns + own];
  a.out[split.column * a.row_length + a.first_column + own] = sum;
}

struct SparseGramArguments {
  DeviceAttributes attributes;
  const int64_t* begins;
  const int32_t* rows;
  const double* values;
  double* out;  // row and column 0 are the first sparse column's
  int64_t row_length;
};

// One block: one sparse column against those up to it. Its rows come one after another, a row's entries side by side. Shared memory: 8
// bytes a sparse column, 48 KB at most. Run once per training; bound by the latency of the longest column, about 1 us a row.
static_assert(kDirectAttributeColumns * sizeof(double) <= kMostSharedBytes);
__global__ void __launch_bounds__(kGramThreads) sparse_gram_kernel(const SparseGramArguments a) {
  double* const sums = dynamic_shared<double>();
  const int column = static_cast<int>(blockIdx.x), own = static_cast<int>(threadIdx.x);
  for (int j = own; j <= column; j += kGramThreads) sums[j] = 0;
  __syncthreads();
  for (int64_t k = a.begins[column]; k < a.begins[column + 1]; ++k) {
    const int64_t row = a.rows[k], end = a.attributes.offsets[row + 1];
    const double weighted = a.values[k];
    for (int64_t e = a.attributes.offsets[row] + own; e < end; e += kGramThreads) {
      const int other = a.attributes.columns[e] - a.attributes.dense_count;
      if (other > column) break;  // they ascend
      sums[other] += weighted * static_cast<double>(a.attributes.values[e]);
    }
    __syncthreads();
  }
  for (int j = own; j <= column; j += kGramThreads) a.out[column * a.row_length + j] = sums[j];
}

LaunchShape one_each(int64_t count) { return {dim3(block_count(count, kThreads)), dim3(kThreads)}; }

ProductTable dense_table(const DeviceAttributes& attributes) {
  return {attributes.dense, attributes.dense_count, attributes.dense_count, true};
}

}  // namespace

WeightedAttributes::WeightedAttributes(const WeightedSide& side, int32_t widest, bool with_gram, const Stream& stream)
    : attributes_(side.attributes),
      ridges_(side.ridges),
      rows_(side.rows.rows()),
      sparse_columns_(side.rows.column_count - side.rows.dense_count) {
  const DenseRoom room(rows_, side.rows.dense_count + 1, widest, with_gram);
  chunk_ = DeviceArray<double>(room.chunk, stream);
  sums_ = DeviceArray<double>(room.sums, stream);
  const SparseSegments plan = plan_segments(side.rows);
  segment_count_ = static_cast<int32_t>(plan.segments.size());
  split_count_ = static_cast<int32_t>(plan.splits.size());
  const TurnedEntries turned = turn_entries(side.rows, side.weights, plan);
  const WaitAtExit wait(stream);
  begins_ = DeviceArray<int64_t>(plan.begins, stream);
  segments_ = DeviceArray<SparseSegment>(plan.segments, stream);
  splits_ = DeviceArray<SplitColumn>(plan.splits, stream);
  turned_rows_ = DeviceArray<int32_t>(turned.rows, stream);
  turned_values_ = DeviceArray<double>(turned.values, stream);
  partial_ = DeviceArray<double>(int64_t{plan.slots} * kColumns, stream);
  stream.synchronize();
}

void WeightedAttributes::count_memory(const AttributeRows& rows, int32_t widest, bool with_gram, MemoryTable& table) {
  const auto bytes = [](size_t count, size_t each) { return static_cast<int64_t>(count * each); };
  const DenseRoom room(rows.rows(), rows.dense_count + 1, widest, with_gram);
  const SparseSegments plan = plan_segments(rows);
  table.add("attribute sums", (room.chunk + room.sums + int64_t{plan.slots} * kColumns) * int64_t{sizeof(double)});
  table.add("attributes by column", bytes(plan.begins.size(), sizeof(int64_t)) + bytes(plan.segments.size(), sizeof(SparseSegment)) +
                                        bytes(plan.splits.size(), sizeof(SplitColumn)) +
                                        bytes(rows.columns.size(), sizeof(int32_t) + sizeof(double)));
}

void WeightedAttributes::products(const ProductTable& table, double* out, int64_t row_length, const BlasHandle& blas,
                                  const Stream& stream) {
  dense_products(table, out, row_length, blas, stream);
  sparse_products(table, out, row_length, stream);
}

void WeightedAttributes::dense_products(const ProductTable& table, double* out, int64_t row_length, const BlasHandle& blas,
                                        const Stream& stream) {
  const ProductTable dense = dense_table(attributes_);
  const int32_t left = dense.columns(), right = table.columns();
  const DenseCut cut(rows_, left, right);
  const double one = 1;
  double* const left_chunk = chunk_.data();
  double* const right_chunk = left_chunk + cut.parts * cut.part_rows * left;
  double* const sums = cut.parts == 1 ? out : sums_.data();
  const auto sum_length = static_cast<int>(cut.parts == 1 ? row_length : right);
  for (int64_t first = 0; first < rows_; first += cut.parts * cut.part_rows) {
    // The last chunk has shorter partitions, all of the same length.
    const int64_t part_rows = std::min(cut.part_rows, (rows_ - first + cut.parts - 1) / cut.parts);
    const auto widen = [&](const ProductTable& from, const double* weights, double* to) {
      const int64_t count = cut.parts * part_rows * from.columns();
      launch<weigh_rows_kernel>(stream, one_each(count), from, weights, first, rows_, from.columns(), count, to);
    };
    widen(dense, ridges_, left_chunk);
    widen(table, nullptr, right_chunk);
    const double keep = first == 0 ? 0 : 1;
    // Row-major rows are the columns of a column-major matrix: outᵀ [right, left] = Tᵀ [right, rows] (RX) [rows, left].
    check(cublasDgemmStridedBatched(blas.get(), CUBLAS_OP_N, CUBLAS_OP_T, right, left, static_cast<int>(part_rows), &one, right_chunk,
                                    right, part_rows * right, left_chunk, left, part_rows * left, &keep, sums, sum_length,
                                    int64_t{left} * right, cut.parts));
  }
  const int64_t size = int64_t{left} * right;
  if (cut.parts > 1) launch<add_partitions_kernel>(stream, one_each(size), sums, cut.parts, right, size, out, row_length);
}

void WeightedAttributes::sparse_products(const ProductTable& table, double* out, int64_t row_length, const Stream& stream) {
  if (sparse_columns_ == 0) return;
  SparseArguments a = {segments_.data(), splits_.data(), turned_rows_.data(), turned_values_.data(), table, 0, 0,
                       nullptr,          row_length,     partial_.data()};
  a.out = out + (attributes_.dense_count + 1) * row_length;
  for (; a.first_column < table.columns(); a.first_column += kColumns) {
    a.columns = std::min(kColumns, table.columns() - a.first_column);
    launch<sum_segments_kernel>(stream, {dim3(static_cast<unsigned>(segment_count_)), dim3(kColumns)}, a);
    if (split_count_ > 0) launch<add_segments_kernel>(stream, {dim3(static_cast<unsigned>(split_count_)), dim3(kColumns)}, a);
  }
}

void WeightedAttributes::gram(double* out, const BlasHandle& blas, const Stream& stream) {
  products(dense_table(attributes_), out, size(), blas, stream);
  if (sparse_columns_ == 0) return;
  const int64_t first = attributes_.dense_count + 1;
  const SparseGramArguments a = {attributes_, begins_.data(), turned_rows_.data(), turned_values_.data(), out + first * size() + first,
                                 size()};
  launch<sparse_gram_kernel>(
      stream, {dim3(static_cast<unsigned>(sparse_columns_)), dim3(kGramThreads), static_cast<size_t>(sparse_columns_) * sizeof(double)}, a);
}

}  // namespace bouquet::cuda
