#include "cpu_fallback/attribute_gram.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cpu_fallback/attribute_kernels.h"
#include "cpu_fallback/sparse_blocks.h"
#include "engine/blas_threads.h"

namespace bouquet::cpu {
namespace {

constexpr int64_t kChunkRows = 256;     // of dense values that are multiplied at a time
constexpr int64_t kDenseColumns = 64;   // of a task of the dense part
constexpr int64_t kBlockRows = 8192;    // of sparse rows that are turned at a time
constexpr int64_t kColumnRanges = 128;  // of sparse columns, a task each
constexpr size_t kLineDoubles = 8;      // of a cache line
constexpr size_t kAhead = 6;            // entries

class Gram {
 public:
  Gram(const AttributeRows& rows, std::span<const double> weights, ThreadPool& pool)
      : rows_(rows),
        weights_(weights),
        pool_(pool),
        dense_(rows.dense_count),
        sparse_(rows.column_count - rows.dense_count),
        size_(int64_t{rows.column_count} + 1),
        sums_(static_cast<size_t>(size_ * size_)) {}

  std::vector<double> take() && {
    add_dense();
    if (sparse_ > 0) add_sparse();
    return std::move(sums_);
  }

 private:
  // The dense columns and the intercept against each other.
  void add_dense() {
    use_one_blas_thread();
    const int64_t width = dense_ + 1;
    std::vector<double> sums(static_cast<size_t>(width * width));
    pool_.run((width + kDenseColumns - 1) / kDenseColumns, [&](int, int64_t task) {
      const int64_t first = task * kDenseColumns;
      const auto mine = static_cast<int>(std::min(kDenseColumns, width - first)), rest = static_cast<int>(width - first);
      std::vector<double> chunk(static_cast<size_t>(kChunkRows * rest));
      for (int64_t r = 0; r < rows_.rows(); r += kChunkRows) {
        const int64_t count = std::min(kChunkRows, rows_.rows() - r);
        for (int64_t i = 0; i < count; ++i) copy_dense(r + i, first, chunk.data() + i * rest);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, mine, rest, static_cast<int>(count), 1, chunk.data(), rest, chunk.data(), rest,
                    1, &sums[static_cast<size_t>(first * width + first)], static_cast<int>(width));
      }
    });
    const auto position = [&](int64_t i) { return i == dense_ ? size_ - 1 : i; };
    for (int64_t i = 0; i < width; ++i)
      for (int64_t j = i; j < width; ++j) at(position(i), position(j)) = sums[static_cast<size_t>(i * width + j)];
  }

  // Row r's dense values from column `first` on and the intercept's 1, times the root of its weight.
  void copy_dense(int64_t r, int64_t first, double* to) const {
    const double root = std::sqrt(weights_[static_cast<size_t>(r)]);
    const auto values = rows_.dense_row(r);
    for (int64_t f = first; f < dense_; ++f) *to++ = root * double{values[static_cast<size_t>(f)]};
    *to = root;
  }

  // The sparse columns against everything, a block of rows at a time.
  void add_sparse() {
    const int64_t panels = (dense_ + kPanel) / kPanel;  // of dense columns and the intercept
    const int64_t stride = panels * kPanel;
    std::vector<double> mixed(static_cast<size_t>(sparse_ * stride));  // by sparse column
    std::vector<FloatBuffer> scratch;
    for (int i = 0; i < pool_.size(); ++i) scratch.push_back(make_floats(kBlockRows * kPanel));
    for (int64_t first = 0; first < rows_.rows(); first += kBlockRows) {
      const int64_t count = std::min(kBlockRows, rows_.rows() - first);
      const TurnedRows turned = turn_rows(rows_, first, first + count);
      const std::vector<double> weights = entry_weights(turned, first);
      pool_.run(panels + kColumnRanges, [&](int worker, int64_t task) {
        if (task >= panels) return add_pairs(turned, weights, first, task - panels);
        float* panel = scratch[static_cast<size_t>(worker)].get();
        pack_panel(first, count, task, panel);
        for (size_t c = 0; c < turned.columns.size(); ++c) {
          const auto begin = static_cast<size_t>(turned.begins[c]), length = static_cast<size_t>(turned.begins[c + 1]) - begin;
          add_panel_rows(panel, std::span(turned.rows).subspan(begin, length), std::span(weights).subspan(begin, length),
                         &mixed[static_cast<size_t>(turned.columns[c] * stride + task * kPanel)]);
        }
      });
    }
    for (int64_t c = 0; c < sparse_; ++c) {
      const double* from = &mixed[static_cast<size_t>(c * stride)];
      for (int64_t f = 0; f < dense_; ++f) at(f, dense_ + c) = from[f];
      at(dense_ + c, size_ - 1) = from[dense_];
    }
  }

  std::vector<double> entry_weights(const TurnedRows& turned, int64_t first) const {
    std::vector<double> weights(turned.entries.size());
    for (size_t k = 0; k < weights.size(); ++k)
      weights[k] = weights_[static_cast<size_t>(first) + turned.rows[k]] * double{rows_.values[static_cast<size_t>(turned.entries[k])]};
    return weights;
  }

  // Dense columns [16 panel, 16 panel + 16) of a block, and the intercept's 1 behind them.
  void pack_panel(int64_t first, int64_t count, int64_t panel, float* to) const {
    const int64_t begin = panel * kPanel, end = std::min<int64_t>(dense_, begin + kPanel);
    for (int64_t i = 0; i < count; ++i) {
      float* row = to + i * kPanel;
      std::copy_n(rows_.dense.data() + (first + i) * dense_ + begin, end - begin, row);
      if (end - begin < kPanel) row[end - begin] = 1;
    }
  }

  // The sparse columns of one range against those behind them in each row.
  void add_pairs(const TurnedRows& turned, std::span<const double> weights, int64_t first, int64_t range) {
    const auto columns = static_cast<int64_t>(turned.columns.size());
    for (int64_t c = columns * range / kColumnRanges; c < columns * (range + 1) / kColumnRanges; ++c) {
      double* to = &at(dense_ + turned.columns[static_cast<size_t>(c)], 0);
      for (int64_t j = dense_ + turned.columns[static_cast<size_t>(c)]; j < size_; j += int64_t{kLineDoubles})
        __builtin_prefetch(to + j, 1);
      for (auto k = static_cast<size_t>(turned.begins[static_cast<size_t>(c)]);
           k < static_cast<size_t>(turned.begins[static_cast<size_t>(c) + 1]); ++k) {
        if (k + kAhead < turned.entries.size()) prefetch_tail(static_cast<size_t>(turned.entries[k + kAhead]));
        const auto end = static_cast<size_t>(rows_.offsets[static_cast<size_t>(first) + turned.rows[k] + 1]);
        for (auto e = static_cast<size_t>(turned.entries[k]); e < end; ++e) to[rows_.columns[e]] += weights[k] * double{rows_.values[e]};
      }
    }
  }

  // What comes next of both arrays: rows are met in no order that the hardware could foresee.
  void prefetch_tail(size_t entry) const {
    for (size_t line = 0; line < 4; ++line) {
      __builtin_prefetch(rows_.columns.data() + entry + 2 * kLineDoubles * line);
      __builtin_prefetch(rows_.values.data() + entry + 2 * kLineDoubles * line);
    }
  }

  double& at(int64_t i, int64_t j) { return sums_[static_cast<size_t>(i * size_ + j)]; }

  const AttributeRows& rows_;
  const std::span<const double> weights_;
  ThreadPool& pool_;
  const int64_t dense_, sparse_, size_;
  std::vector<double> sums_;
};

}  // namespace

std::vector<double> attribute_gram(const AttributeRows& rows, std::span<const double> weights, ThreadPool& pool) {
  return Gram(rows, weights, pool).take();
}

std::vector<double> attribute_gram_diagonal(const AttributeRows& rows, std::span<const double> weights) {
  std::vector<double> diagonal(static_cast<size_t>(rows.column_count) + 1);
  for (int64_t r = 0; r < rows.rows(); ++r) {
    const double weight = weights[static_cast<size_t>(r)];
    const auto dense = rows.dense_row(r);
    for (size_t f = 0; f < dense.size(); ++f) diagonal[f] += weight * double{dense[f]} * double{dense[f]};
    const auto columns = rows.row_columns(r);
    const auto values = rows.row_values(r);
    for (size_t k = 0; k < columns.size(); ++k) diagonal[static_cast<size_t>(columns[k])] += weight * double{values[k]} * double{values[k]};
    diagonal.back() += weight;
  }
  return diagonal;
}

}  // namespace bouquet::cpu
