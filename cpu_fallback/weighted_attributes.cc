#include "cpu_fallback/weighted_attributes.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/blas_threads.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kPartitions = 32;   // fixed: the same bits at any number of threads
constexpr int64_t kChunkRows = 256;   // that are multiplied at a time
constexpr int64_t kGramColumns = 64;  // of a task of the dense Gram matrix
constexpr int64_t kSparseColumns = 32;

}  // namespace

WeightedAttributes::WeightedAttributes(const AttributeRows& rows, std::vector<double> weights, ThreadPool& pool)
    : rows_(rows), weights_(std::move(weights)), sparse_(rows, weights_, pool) {}

template <typename T>
void WeightedAttributes::copy_dense(int64_t r, double factor, T* to) const {
  const auto values = rows_.dense_row(r);
  for (size_t f = 0; f < values.size(); ++f) to[f] = static_cast<T>(factor * double{values[f]});
  to[values.size()] = static_cast<T>(factor);
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
      for (int64_t i = 0; i < count; ++i) copy_dense(r + i, weights_[static_cast<size_t>(r + i)], chunk.data() + i * width);
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, static_cast<int>(width), static_cast<int>(stride), static_cast<int>(count), 1,
                  chunk.data(), static_cast<int>(width), table.row(r), static_cast<int>(stride), 0, product.data(),
                  static_cast<int>(stride));
      for (size_t i = 0; i < size; ++i) mine[i] += double{product[i]};
    }
  });
  for (const std::vector<double>& part : parts)
    for (size_t i = 0; i < size; ++i) sums[i] += part[i];
}

// Positions while the matrix is summed are those of the result: dense columns, sparse ones, intercept.
std::vector<double> WeightedAttributes::gram(ThreadPool& pool) const {
  std::vector<double> gram(static_cast<size_t>(size() * size()));
  add_dense_gram(gram, pool);
  add_sparse_gram(gram, pool);
  return gram;
}

void WeightedAttributes::add_dense_gram(std::span<double> gram, ThreadPool& pool) const {
  use_one_blas_thread();
  const int64_t width = rows_.dense_count + 1;
  std::vector<double> sums(static_cast<size_t>(width * width));
  pool.run((width + kGramColumns - 1) / kGramColumns, [&](int, int64_t task) {
    const int64_t first = task * kGramColumns;
    const int64_t mine = std::min(kGramColumns, width - first);
    const int64_t rest = width - first;
    std::vector<double> row(static_cast<size_t>(width));
    std::vector<double> chunk(static_cast<size_t>(kChunkRows * rest));
    for (int64_t r = 0; r < rows_.rows(); r += kChunkRows) {
      const int64_t count = std::min(kChunkRows, rows_.rows() - r);
      for (int64_t i = 0; i < count; ++i) {
        copy_dense(r + i, std::sqrt(weights_[static_cast<size_t>(r + i)]), row.data());
        std::copy_n(row.data() + first, rest, chunk.data() + i * rest);
      }
      cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, static_cast<int>(mine), static_cast<int>(rest), static_cast<int>(count), 1,
                  chunk.data(), static_cast<int>(rest), chunk.data(), static_cast<int>(rest), 1,
                  &sums[static_cast<size_t>(first * width + first)], static_cast<int>(width));
    }
  });
  const auto position = [&](int64_t i) { return i == width - 1 ? size() - 1 : i; };
  for (int64_t i = 0; i < width; ++i)
    for (int64_t j = i; j < width; ++j)
      gram[static_cast<size_t>(position(i) * size() + position(j))] = sums[static_cast<size_t>(i * width + j)];
}

// A sparse column against every column behind it, and the dense columns and the intercept against it. All of it in double: the columns of a
// category add up to the intercept, and only what the regularization adds keeps that direction positive.
void WeightedAttributes::add_sparse_gram(std::span<double> gram, ThreadPool& pool) const {
  const int64_t columns = sparse_.column_count();
  const int64_t dense = rows_.dense_count;
  pool.run((columns + kSparseColumns - 1) / kSparseColumns, [&](int, int64_t task) {
    const int64_t first = task * kSparseColumns;
    std::vector<double> mixed(static_cast<size_t>(kSparseColumns * (dense + 1)));  // by sparse column
    for (int64_t b = 0; b < sparse_.block_count(); ++b)
      for (const SparseBlocks::Segment& segment : sparse_.segments(b, first, std::min(columns, first + kSparseColumns)))
        for (const uint16_t row : segment.rows)
          add_entry(b * SparseBlocks::kRows + row, rows_.dense_count + segment.column, gram,
                    std::span(mixed).subspan(static_cast<size_t>((segment.column - first) * (dense + 1)), static_cast<size_t>(dense + 1)));
    for (int64_t c = first; c < std::min(columns, first + kSparseColumns); ++c) {
      const double* from = &mixed[static_cast<size_t>((c - first) * (dense + 1))];
      for (int64_t f = 0; f < dense; ++f) gram[static_cast<size_t>(f * size() + dense + c)] = from[f];
      gram[static_cast<size_t>((dense + c) * size() + size() - 1)] = from[dense];
    }
  });
}

// Row r's entry in sparse column `column` against the rest of the row.
void WeightedAttributes::add_entry(int64_t r, int32_t column, std::span<double> gram, std::span<double> mixed) const {
  const auto others = rows_.row_columns(r);
  const auto values = rows_.row_values(r);
  auto at = static_cast<size_t>(std::ranges::lower_bound(others, column) - others.begin());
  const double weight = weights_[static_cast<size_t>(r)] * double{values[at]};
  const auto dense = rows_.dense_row(r);
  for (size_t f = 0; f < dense.size(); ++f) mixed[f] += weight * double{dense[f]};
  mixed[dense.size()] += weight;
  double* to = gram.data() + int64_t{column} * size();
  for (; at < others.size(); ++at) to[others[at]] += weight * double{values[at]};
}

std::vector<double> WeightedAttributes::gram_diagonal() const {
  std::vector<double> diagonal(static_cast<size_t>(size()));
  for (int64_t r = 0; r < rows_.rows(); ++r) {
    const double weight = weights_[static_cast<size_t>(r)];
    const auto dense = rows_.dense_row(r);
    for (size_t f = 0; f < dense.size(); ++f) diagonal[f] += weight * double{dense[f]} * double{dense[f]};
    const auto columns = rows_.row_columns(r);
    const auto values = rows_.row_values(r);
    for (size_t k = 0; k < columns.size(); ++k) diagonal[static_cast<size_t>(columns[k])] += weight * double{values[k]} * double{values[k]};
    diagonal.back() += weight;
  }
  return diagonal;
}

}  // namespace bouquet::cpu
