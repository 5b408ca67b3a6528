#include "engine/interactions.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace bouquet {
namespace {

SparseRows rows_of(const std::vector<std::set<int>>& sets, int columns) {
  SparseRows rows;
  rows.column_count = columns;
  for (const auto& set : sets) {
    for (const int c : set) {
      rows.columns.push_back(c);
      rows.confidences.push_back(static_cast<float>(rows.columns.size()));
    }
    rows.offsets.push_back(static_cast<int64_t>(rows.columns.size()));
  }
  return rows;
}

std::map<std::pair<int, int>, float> cells(const SparseRows& rows, bool swapped) {
  std::map<std::pair<int, int>, float> out;
  for (int r = 0; r < rows.row_count(); ++r)
    for (auto k = rows.offsets[static_cast<size_t>(r)]; k < rows.offsets[static_cast<size_t>(r) + 1]; ++k) {
      const int c = rows.columns[static_cast<size_t>(k)];
      out[swapped ? std::pair{c, r} : std::pair{r, c}] = rows.confidences[static_cast<size_t>(k)];
    }
  return out;
}

RC_GTEST_PROP(Transpose, KeepsEveryCellAndIsItsOwnInverse, ()) {
  const auto sets = *rc::gen::container<std::vector<std::set<int>>>(rc::gen::container<std::set<int>>(rc::gen::inRange(0, 1000)));
  const SparseRows rows = rows_of(sets, 1000);
  const SparseRows flipped = transpose(rows);
  RC_ASSERT(validate(rows).ok());
  RC_ASSERT(validate(flipped).ok());
  RC_ASSERT(flipped.row_count() == 1000);
  RC_ASSERT(cells(rows, false) == cells(flipped, true));
  const SparseRows again = transpose(flipped);
  RC_ASSERT(again.offsets == rows.offsets);
  RC_ASSERT(again.columns == rows.columns);
  RC_ASSERT(again.confidences == rows.confidences);
}

TEST(SparseRows, RefusesColumnsThatDoNotAscendOrFit) {
  SparseRows rows = rows_of({{0, 1}, {2}}, 3);
  EXPECT_TRUE(validate(rows).ok());
  SparseRows repeated = rows;
  repeated.columns[1] = 0;
  EXPECT_FALSE(validate(repeated).ok());
  SparseRows outside = rows;
  outside.columns[2] = 3;
  EXPECT_FALSE(validate(outside).ok());
  SparseRows weightless = rows;
  weightless.confidences[0] = 0;
  EXPECT_FALSE(validate(weightless).ok());
}

}  // namespace
}  // namespace bouquet
