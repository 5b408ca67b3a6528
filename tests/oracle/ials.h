// iALS in double, as docs/algorithms/ials.md writes it and as slowly as that is: what every backend's half-steps, fold-in and
// objective are judged by. Shares no code with the backends.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/interactions.h"
#include "engine/views.h"

namespace bouquet::oracle {

struct Settings {
  double alpha0 = 0;
  double lambda = 0;
  double nu = 0;
};

// One row's pairs.
struct Row {
  std::span<const int32_t> columns;
  std::span<const float> confidences;
  std::span<const float> targets;  // or empty: every target is 1
};
Row row_of(const SparseRows& rows, int64_t r);

struct NormalEquations {
  std::vector<double> matrix;  // W, [d, d]
  std::vector<double> right;   // [d]
  double right_scale = 0;      // sum of the norms of what adds up to the right side
};

// Vectors of one side.
struct Vectors {
  int64_t rows = 0, cols = 0;
  std::vector<double> values;  // [rows, cols]

  explicit Vectors(MatrixView<const float> rounded);
  Vectors(int64_t n, int64_t d) : rows(n), cols(d), values(static_cast<size_t>(n * d)) {}
  std::span<const double> row(int64_t r) const { return {values.data() + r * cols, static_cast<size_t>(cols)}; }
};

// The side that stays fixed in a half-step: the items for a customer, the customers for an item.
struct FixedSide {
  explicit FixedSide(Vectors vectors);
  explicit FixedSide(MatrixView<const float> rounded) : FixedSide(Vectors(rounded)) {}

  Vectors vectors;           // [n, d]
  std::vector<double> gram;  // [d, d]
};

// W and the right side for one row, solved against `fixed`. `prior`: the row's prior mean [d], or empty for zero.
NormalEquations normal_equations(const Row& row, const FixedSide& fixed, const Settings& settings, std::span<const double> prior = {});

// Row r of the attributes as [F + 1] numbers, the intercept last.
std::vector<double> attributes_of(const AttributeRows& rows, int64_t r);

// Row r's prior mean, [d]: its attributes times the map [F + 1, d].
std::vector<double> prior_mean(const AttributeRows& rows, int64_t r, MatrixView<const float> map);

std::vector<double> solve(const NormalEquations& equations);  // Gaussian elimination with pivoting

// |W x - b| / (|W| |x| + right_scale) in the Frobenius and 2-norms: how well `x` solves the equations, whatever their condition and
// however much of the right side cancels.
double backward_error(const NormalEquations& equations, std::span<const float> x);

// The condition number of W in the 2-norm, by power iteration to about a tenth of it.
double condition(const NormalEquations& equations);

// Epochs in double from the profiles that every backend starts from: nothing is rounded between two half-steps.
class Training {
 public:
  Training(const Interactions& interactions, MatrixView<const float> initial_profiles, const Settings& settings);

  void run_epoch();  // the items' half-step, then the customers'
  const Vectors& profiles() const { return profiles_; }
  const Vectors& item_vectors() const { return item_vectors_; }

 private:
  const Interactions& interactions_;
  Settings settings_;
  Vectors profiles_, item_vectors_;
};

// |x - exact| / |exact| over all elements.
double relative_gap(std::span<const float> x, std::span<const double> exact);

// How far a map is from the minimum of sum of ridge_r |y_r - x_r map|² + sum of ridges_f |map_f|²: the largest entry of
// the gradient's half, over the largest sum of the absolute values of what adds up to one.
double map_error(const SparseRows& rows, const AttributeRows& attributes, MatrixView<const float> vectors, MatrixView<const float> map,
                 int64_t fixed_count, std::span<const double> ridges, const Settings& settings);

// The maps of both sides with what penalises them.
struct Priors {
  MatrixView<const float> customers = {}, items = {};          // [F + 1, d], or empty
  std::vector<double> customer_ridges = {}, item_ridges = {};  // [F]
};

// L, the term over all pairs written out.
double objective(const Interactions& interactions, MatrixView<const float> profiles, MatrixView<const float> item_vectors,
                 const Settings& settings, const Priors& priors = {});

}  // namespace bouquet::oracle
