// What a call asks for, in bytes and flops: the size of the question, whatever a backend saves by rounding, skipping or solving otherwise.
// A rate is this over the seconds, and a share of the roofline over 100 % says that something was saved, or came from a cache.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/roofline.h"

namespace bouquet::bench {

// Multiplications and additions count one each; numbers are float, indices int32.
struct CallWork {
  double bytes = 0;
  double flops = 0;
};

struct RankCall {
  double queries = 1, rows = 0, dimension = 0, k = 0;
  double exclusions = 0;  // of each query
  double filters = 0;     // bitmaps over the rows
};

// flops: 2 d of every score. bytes: every row and query once, the restrictions, and k rows with their scores.
inline CallWork work_of(const RankCall& c) {
  return {.bytes = 4 * c.dimension * (c.rows + c.queries) + 4 * c.queries * c.exclusions + c.filters * c.rows / 8 + 8 * c.queries * c.k,
          .flops = 2 * c.queries * c.rows * c.dimension};
}

struct SolveCall {
  double rows = 0;       // that are solved
  double pairs = 0;      // of all of them
  double dimension = 0;  // d
  bool cholesky = false;
};

// Of the direct system, one triangle of it. flops: d² of every pair, d³ / 3 and 2 d² of every row. bytes: the d numbers that every pair
// gathers, its index and its confidence, the Gram matrix once, and what comes out.
inline CallWork work_of(const SolveCall& c) {
  const double d = c.dimension;
  return {.bytes = c.pairs * (4 * d + 8) + 4 * d * d + c.rows * 4 * (d + (c.cholesky ? d * d : 0)),
          .flops = c.pairs * d * d + c.rows * (d * d * d / 3 + 2 * d * d)};
}

struct ExplainCall {
  double pairs = 0, attributes = 0, offered = 0, dimension = 0;
};

// The solve with its Cholesky factor, two triangular systems and a product with every pair and attribute for each offered row.
inline CallWork work_of(const ExplainCall& c) {
  const CallWork solve = work_of(SolveCall{.rows = 1, .pairs = c.pairs, .dimension = c.dimension, .cholesky = true});
  const double d = c.dimension;
  return {.bytes = solve.bytes + 4 * d * c.attributes + 8 * c.offered * (c.pairs + c.attributes),
          .flops = solve.flops + 2 * d * c.attributes + c.offered * (2 * d * d + 2 * d * (c.pairs + c.attributes))};
}

struct EpochCall {
  double customers = 0, items = 0, pairs = 0, dimension = 0;
};

// Two half-steps, and the Gram matrices of both sides: d² flops of every row, and its d numbers.
inline CallWork work_of(const EpochCall& c) {
  const double rows = c.customers + c.items, d = c.dimension;
  const CallWork items = work_of(SolveCall{.rows = c.items, .pairs = c.pairs, .dimension = d});
  const CallWork customers = work_of(SolveCall{.rows = c.customers, .pairs = c.pairs, .dimension = d});
  return {.bytes = items.bytes + customers.bytes + 4 * rows * d, .flops = items.flops + customers.flops + rows * d * d};
}

struct AttributeStepCall {
  double rows = 0, dense = 0, sparse = 0, set = 0, dimension = 0;  // `set` of the sparse columns in each row
};

// The map from the vectors, its Gram matrix being factorized: 2 d flops of every number that is set, and two triangular systems over the
// columns and the intercept. bytes: the attributes and the vectors once, the factor twice in double.
inline CallWork work_of(const AttributeStepCall& c) {
  const double size = c.dense + c.sparse + 1;
  return {.bytes = c.rows * (4 * c.dense + 8 * c.set + 4 * c.dimension) + 8 * size * size,
          .flops = 2 * c.dimension * (c.rows * (c.dense + c.set + 1) + size * size)};
}

// Seconds that the work takes at least on hardware with these ceilings, both positive.
inline double least_seconds(const CallWork& work, const Roofline& roofline) {
  return std::max(work.bytes / roofline.bytes_per_second, work.flops / roofline.flops_per_second);
}

}  // namespace bouquet::bench
