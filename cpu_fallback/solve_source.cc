#include "cpu_fallback/solve_source.h"

#include <algorithm>

#include "cpu_fallback/panel_kernels.h"
#include "engine/eigenbasis.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kGramPartitions = 32;
constexpr int64_t kPackedRows = 128;    // of a partition at a time
constexpr int64_t kRotationRows = 512;  // of a task
constexpr int32_t kLeastDualDimension = 32;

int64_t panel_index(int64_t n, int64_t row, int64_t column) { return column / kPanel * n * kPanel + row * kPanel + column % kPanel; }

}  // namespace

std::vector<float> gram_of(const FactorTable& vectors, ThreadPool& pool) { return gram_of(vectors, vectors.rows(), pool); }

std::vector<float> gram_of(const FactorTable& vectors, int64_t rows, ThreadPool& pool) {
  const int64_t n = vectors.stride();
  const FloatBuffer parts = make_floats(kGramPartitions * n * n);
  const FloatBuffer packed = make_floats(pool.size() * kPackedRows * n);
  pool.run(kGramPartitions, [&](int worker, int64_t part) {
    float* panels = packed.get() + worker * kPackedRows * n;
    const int64_t end = rows * (part + 1) / kGramPartitions;
    for (int64_t r = rows * part / kGramPartitions; r < end; r += kPackedRows) {
      const int64_t count = std::min(kPackedRows, end - r);
      pack_rows(vectors, r, count, kPackedRows, panels);
      add_gram(count, kPackedRows, panels, static_cast<int32_t>(n), parts.get() + part * n * n);
    }
  });
  const int64_t d = vectors.dimension();
  std::vector<float> gram(static_cast<size_t>(d * d));
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = i; j < d; ++j) {
      double sum = 0;
      for (int64_t part = 0; part < kGramPartitions; ++part)
        sum += static_cast<double>(parts[static_cast<size_t>(part * n * n + panel_index(n, i, j))]);
      gram[static_cast<size_t>(i * d + j)] = gram[static_cast<size_t>(j * d + i)] = static_cast<float>(sum);
    }
  }
  return gram;
}

SolveSource::SolveSource(const FactorTable& vectors, double unobserved_weight)
    : vectors_(vectors), unobserved_weight_(unobserved_weight), shared_matrix_(make_floats(int64_t{vectors.stride()} * vectors.stride())) {
  if (longest_dual_row(dimension()) == 0) return;
  const int64_t n = stride();
  rotated_ = FactorTable(vectors.rows(), dimension());
  diagonal_.assign(static_cast<size_t>(n), 1.0f);
  forth_ = make_floats(n * n);
  back_ = make_floats(n * n);
}

int64_t SolveSource::longest_dual_row(int32_t dimension) { return dimension < kLeastDualDimension ? 0 : int64_t{dimension} * 7 / 8; }

void SolveSource::refresh(std::span<const float> gram, ThreadPool& pool) {
  const int64_t d = dimension();
  for (int64_t i = 0; i < d; ++i)
    for (int64_t j = i / kPanel * kPanel; j < d; ++j)
      shared_matrix_[static_cast<size_t>(panel_index(stride(), i, j))] =
          static_cast<float>(unobserved_weight_ * static_cast<double>(gram[static_cast<size_t>(i * d + j)]));
  if (longest_dual_row(dimension()) > 0) refresh_basis(gram, pool);
}

void SolveSource::refresh_basis(std::span<const float> gram, ThreadPool& pool) {
  const int64_t d = dimension();
  const int64_t n = stride();
  const auto basis = eigenbasis_of(gram, dimension());
  has_basis_ = basis.has_value();  // without one every row is solved directly
  if (!has_basis_) return;
  for (int64_t k = 0; k < d; ++k) {
    diagonal_[static_cast<size_t>(k)] = static_cast<float>(unobserved_weight_ * std::max(basis->values[static_cast<size_t>(k)], 0.0));
    for (int64_t j = 0; j < d; ++j) {
      const auto value = static_cast<float>(basis->vectors[static_cast<size_t>(k * d + j)]);
      forth_[static_cast<size_t>(panel_index(n, j, k))] = value;
      back_[static_cast<size_t>(panel_index(n, k, j))] = value;
    }
  }
  const FloatBuffer panels = make_floats(pool.size() * n * kPanel);
  pool.run((vectors_.rows() + kRotationRows - 1) / kRotationRows, [&](int worker, int64_t task) {
    const int64_t end = std::min((task + 1) * kRotationRows, vectors_.rows());
    for (int64_t r = task * kRotationRows; r < end; r += kPanel)
      rotate(vectors_, r, std::min<int64_t>(kPanel, end - r), rotated_, r, panels.get() + worker * n * kPanel);
  });
}

void SolveSource::rotate(const FactorTable& rows, int64_t first, int64_t count, FactorTable& rotated, int64_t to, float* panel) const {
  if (!has_basis_) return;
  const int64_t n = stride();
  alignas(64) float block[kBlockFloats];
  transpose_rows(rows, first, count, panel);
  for (int64_t p = 0; p < n / kPanel; ++p) {
    multiply_panels(n, panel, forth_.get() + p * n * kPanel, block);
    for (int64_t i = 0; i < count; ++i) std::copy_n(block + i * kPanel, kPanel, rotated.row(to + i) + p * kPanel);
  }
}

}  // namespace bouquet::cpu
