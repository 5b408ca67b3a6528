// A side with attributes on the device, and the map that the attribute step finds for it.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "cuda/attribute_step.h"
#include "cuda/device.h"
#include "cuda/wait_at_exit.h"
#include "cuda/weighted_attributes.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/cuda/padded_rows.h"

namespace bouquet::cuda {

inline std::vector<double> weights_of(int64_t rows) {
  std::vector<double> weights;
  for (int64_t r = 0; r < rows; ++r) weights.push_back(0.5 + static_cast<double>(r % 7));
  return weights;
}

struct Shape {
  int64_t rows;
  int32_t dense, sparse, d;
};

// So that AddressSanitizer sees who reads past the end.
inline AttributeTable without_room(AttributeTable table) {
  table.dense = std::vector<float>(table.dense.begin(), table.dense.end());
  return table;
}

// A side on the device, and what it was made of.
struct Side {
  explicit Side(const Shape& s, std::vector<double> with_weights = {})
      : shape(s),
        table(without_room(conformance::random_attributes(s.rows, {s.dense, s.sparse}))),
        weights(with_weights.empty() ? weights_of(s.rows) : std::move(with_weights)),
        vectors(random_rows(s.rows, s.d, 3)),
        arrays(table.rows(), stream),
        ridges(weights, stream),
        device_vectors(vectors, stream) {}

  WeightedSide view() const { return {table.rows(), weights, arrays.view(), ridges.data()}; }
  // Attribute at a position of the products: dense, intercept, sparse.
  double at(int64_t r, int64_t position) const {
    const AttributeRows rows = table.rows();
    if (position < rows.dense_count) return double{rows.dense_row(r)[static_cast<size_t>(position)]};
    if (position == rows.dense_count) return 1;
    const auto columns = rows.row_columns(r);
    const auto found = std::ranges::lower_bound(columns, static_cast<int32_t>(position - 1));
    if (found == columns.end() || *found != position - 1) return 0;
    return double{rows.row_values(r)[static_cast<size_t>(found - columns.begin())]};
  }

  Shape shape;
  Device device{0};
  Stream stream{device};
  AttributeTable table;
  std::vector<double> weights;
  std::vector<float> vectors;
  WaitAtExit wait{stream};  // where what follows cannot be made
  AttributeArrays arrays;
  DeviceArray<double> ridges;
  DeviceArray<float> device_vectors;
};

// The map after two runs, the second from where the first ended; `anew`: by another step, from the first one's map.
inline absl::StatusOr<std::vector<float>> fit(const Side& side, int64_t direct_columns, double regularization = 3,
                                              int most_iterations = kMostFitIterations, bool anew = false) {
  const int32_t d = side.shape.d;
  const BlasHandle blas(side.stream);
  const SolverHandle solver(side.stream);
  PriorMap map(side.table.column_count, d, side.stream);
  DeviceArray<float> means(side.shape.rows * row_stride(d), side.stream);
  std::vector<double> ridges(static_cast<size_t>(side.table.column_count), regularization);
  for (size_t f = 0; f < ridges.size(); f += 2) ridges[f] *= 40;  // no two neighbours have the same
  std::optional<AttributeStep> step;
  const AttributeStepOptions options{"customer", d, direct_columns, most_iterations};
  for (int run = 0; run < 2; ++run) {
    if (run == 0 || anew) step.emplace(side.view(), ridges, options, solver, side.stream);
    if (run == 1 && anew) step->go_on_from(map.table().to_host(side.stream), side.stream);
    if (absl::Status s = step->run(side.device_vectors.data(), map, means.data(), {blas, solver, side.stream}); !s.ok()) return s;
  }
  return map.table().to_host(side.stream);
}

}  // namespace bouquet::cuda
