#include "cpu_fallback/weighted_attributes.h"

#include <cblas.h>

#include <algorithm>
#include <utility>

#include "engine/blas_threads.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kPartitions = 32;  // fixed: the same bits at any number of threads
constexpr int64_t kChunkRows = 256;  // that are multiplied at a time

}  // namespace

WeightedAttributes::WeightedAttributes(const AttributeRows& rows, std::vector<double> weights, ThreadPool& pool)
    : rows_(rows), weights_(std::move(weights)), sparse_(rows, weights_, pool) {}

void WeightedAttributes::copy_dense(int64_t r, float* to) const {
  const double weight = weights_[static_cast<size_t>(r)];
  const auto values = rows_.dense_row(r);
  for (size_t f = 0; f < values.size(); ++f) to[f] = static_cast<float>(weight * double{values[f]});
  to[values.size()] = static_cast<float>(weight);
}

std::vector<double> WeightedAttributes::products(const FactorTable& table, ThreadPool& pool) const {
  const int64_t d = table.dimension();
  const int64_t stride = table.stride();
  const int64_t dense = rows_.dense_count;
  std::vector<double> dense_sums(static_cast<size_t>((dense + 1) * stride));
  add_dense_products(table, dense_sums, pool);
  std::vector<double> sparse_sums(static_cast<size_t>(sparse_.column_count() * stride));
  sparse_.add_products(table, sparse_sums, pool);

  std::vector<double> all(static_cast<size_t>(size() * d));
  for (int64_t f = 0; f < size(); ++f) {
    const int64_t intercept = size() - 1;
    const double* from = f == intercept ? &dense_sums[static_cast<size_t>(dense * stride)]
                         : f < dense    ? &dense_sums[static_cast<size_t>(f * stride)]
                                        : &sparse_sums[static_cast<size_t>((f - dense) * stride)];
    std::copy_n(from, d, all.begin() + f * d);
  }
  return all;
}

void WeightedAttributes::add_dense_products(const FactorTable& table, std::span<double> sums, ThreadPool& pool) const {
  use_one_blas_thread();
  const int64_t width = rows_.dense_count + 1;
  const int64_t stride = table.stride();
  const auto size = static_cast<size_t>(width * stride);
  std::vector<std::vector<double>> parts(kPartitions);
  pool.run(kPartitions, [&](int, int64_t part) {
    std::vector<double>& mine = parts[static_cast<size_t>(part)];
    mine.assign(size, 0.0);
    std::vector<float> chunk(static_cast<size_t>(kChunkRows * width));
    std::vector<float> product(size);
    const int64_t end = rows_.rows() * (part + 1) / kPartitions;
    for (int64_t r = rows_.rows() * part / kPartitions; r < end; r += kChunkRows) {
      const int64_t count = std::min(kChunkRows, end - r);
      for (int64_t i = 0; i < count; ++i) copy_dense(r + i, chunk.data() + i * width);
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, static_cast<int>(width), static_cast<int>(stride), static_cast<int>(count), 1,
                  chunk.data(), static_cast<int>(width), table.row(r), static_cast<int>(stride), 0, product.data(),
                  static_cast<int>(stride));
      for (size_t i = 0; i < size; ++i) mine[i] += double{product[i]};
    }
  });
  for (const std::vector<double>& part : parts)
    for (size_t i = 0; i < size; ++i) sums[i] += part[i];
}

}  // namespace bouquet::cpu
