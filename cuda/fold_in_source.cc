#include "cuda/fold_in_source.h"

#include <algorithm>

#include "cuda/gram.h"
#include "cuda/libraries.h"
#include "cuda/row_systems.h"
#include "cuda/wait_at_exit.h"

namespace bouquet::cuda {
namespace {

int64_t padded_rows(int64_t count, int32_t d) { return d == row_stride(d) ? 0 : count; }

}  // namespace

FoldInShape fold_in_shape(const DeviceModel& tables, Side solved) {
  return {solved, tables.fixed(solved).rows, tables.dimension(), tables.prior_columns(solved)};
}

FoldInSource::FoldInSource(const DeviceModel& tables, Side solved)
    : fixed_(tables.fixed_rows(solved)),
      stream_(tables.device()),
      padded_(padded_rows(tables.fixed(solved).rows, tables.dimension()), tables.dimension(), stream_),
      source_(padded_.rows() > 0 ? padded_.data() : tables.fixed(solved).data, tables.fixed(solved).rows, tables.dimension(),
              tables.constants().unobserved_weight, stream_) {
  const int32_t d = tables.dimension();
  if (padded_.rows() > 0) pad_rows(tables.fixed(solved).data, padded_.rows(), d, padded_.data(), stream_);
  if (const int32_t columns = tables.prior_columns(solved); columns > 0) {
    const MatrixView<const float> map{tables.prior(solved).map.data(), int64_t{columns} + 1, d};
    prior_.emplace(columns, d, stream_);
    prior_->table().fill(
        [&](int64_t first, int64_t count, float* to) {
          for (int64_t r = 0; r < count; ++r) std::ranges::copy(map.row(first + r), to + r * row_stride(d));
        },
        stream_);
  }
  refresh(tables, solved);
  stream_.synchronize();  // so that the scratch memory is free again
}

// The items' Gram matrix is the training's. That of the profiles is summed here. Rows added later are in neither.
void FoldInSource::refresh(const DeviceModel& tables, Side solved) {
  const int32_t d = tables.dimension();
  const int64_t elements = int64_t{d} * d;
  const BlasHandle blas(stream_);
  const SolverHandle solver(stream_);
  EigenScratch scratch(d, solver, stream_);
  DeviceArray<float> gram(elements, stream_);
  const WaitAtExit wait(stream_);
  if (solved == Side::kCustomers) {
    gram.upload(tables.item_gram().view());
  } else {
    GramSums sums(d, stream_);
    DeviceArray<double> exact(elements, stream_);
    sums.sum(padded_.rows() > 0 ? padded_.data() : tables.profiles().data, tables.loaded_customers(), exact.data(), blas, stream_);
    round_gram(exact.data(), d, gram.data(), stream_);
  }
  source_.refresh(gram.data(), scratch, blas, solver, stream_);
  if (prior_) prior_->rotate(source_, blas);
  stream_.synchronize();
}

void FoldInSource::count_memory(const FoldInShape& shape, MemoryTable& table) {
  table.add("factors", FactorArray::bytes(padded_rows(shape.fixed_count, shape.dimension), shape.dimension));
  SolveSource::count_memory(shape.fixed_count, shape.dimension, table);
  if (shape.prior_columns > 0) PriorMap::count_memory(shape.prior_columns, shape.dimension, table);
}

void FoldInSource::count_scratch(const FoldInShape& shape, int capability, MemoryTable& table) {
  const int64_t elements = int64_t{shape.dimension} * shape.dimension;
  EigenScratch::count_memory(shape.dimension, table);
  BlasHandle::count_memory(capability, table);
  table.add("Gram matrices", elements * int64_t{sizeof(float)});
  if (shape.solved == Side::kCustomers) return;
  GramSums::count_memory(shape.dimension, table);
  table.add("Gram matrices", elements * int64_t{sizeof(double)});
}

}  // namespace bouquet::cuda
