#include "cuda/fold_in_source.h"

#include "cuda/libraries.h"
#include "cuda/row_systems.h"

namespace bouquet::cuda {
namespace {

int64_t padded_rows(int64_t item_count, int32_t d) { return d == row_stride(d) ? 0 : item_count; }

}  // namespace

FoldInSource::FoldInSource(const DeviceModel& tables)
    : stream_(tables.device()),
      padded_(padded_rows(tables.items().rows, tables.dimension()), tables.dimension(), stream_),
      source_(padded_.rows() > 0 ? padded_.data() : tables.items().data, tables.items().rows, tables.dimension(),
              tables.constants().unobserved_weight, stream_) {
  const int32_t d = tables.dimension();
  if (padded_.rows() > 0) pad_rows(tables.items().data, padded_.rows(), d, padded_.data(), stream_);
  {
    const BlasHandle blas(stream_);
    const SolverHandle solver(stream_);
    EigenScratch scratch(d, solver, stream_);
    const DeviceArray<float> gram(tables.item_gram().view(), stream_);
    source_.refresh(gram.data(), scratch, blas, solver, stream_);
    stream_.synchronize();
  }
  stream_.synchronize();  // so that the scratch memory is free again
}

void FoldInSource::count_memory(int64_t item_count, int32_t d, MemoryTable& table) {
  table.add("factors", FactorArray::bytes(padded_rows(item_count, d), d));
  SolveSource::count_memory(item_count, d, table);
}

void FoldInSource::count_scratch(int32_t d, int capability, MemoryTable& table) {
  EigenScratch::count_memory(d, table);
  BlasHandle::count_memory(capability, table);
  table.add("Gram matrices", int64_t{d} * d * int64_t{sizeof(float)});
}

}  // namespace bouquet::cuda
