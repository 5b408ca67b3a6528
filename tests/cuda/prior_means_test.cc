// The kernel of the prior means against the sum as it is written.
#include "cuda/prior_means.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "cuda/device.h"
#include "cuda/solve_rules.h"
#include "tests/conformance/shop_attributes.h"
#include "tests/cuda/padded_rows.h"

namespace bouquet::cuda {
namespace {

constexpr float kUntouched = -77;

struct Shape {
  int32_t dense, sparse, d;
};
void PrintTo(const Shape& s, std::ostream* out) { *out << s.dense << " dense, " << s.sparse << " sparse, d = " << s.d; }

class PriorMeans : public testing::TestWithParam<Shape> {
 protected:
  static constexpr int32_t kRows = 21;

  PriorMeans()
      : table_(conformance::random_attributes(kRows, {GetParam().dense, GetParam().sparse})),
        map_(random_rows(int64_t{table_.column_count} + 1, GetParam().d, 4)),
        stride_(row_stride(GetParam().d)) {}

  // Of all rows, or of those listed.
  std::vector<float> compute(const std::vector<int32_t>& listed) {
    const AttributeArrays arrays(table_.rows(), stream_);
    const DeviceArray<float> map(map_, stream_);
    const DeviceArray<int32_t> list(listed, stream_);
    std::vector<float> means(static_cast<size_t>(kRows * stride_), kUntouched);
    DeviceArray<float> on_device(means, stream_);
    const auto count = static_cast<int32_t>(listed.size());
    const RowList rows = listed.empty() ? RowList{nullptr, kRows} : RowList{list.data(), count};
    compute_prior_means(arrays.view(), map.data(), GetParam().d, rows, on_device.data(), stream_);
    on_device.download(means);
    stream_.synchronize();
    return means;
  }

  const Device device_{0};
  const Stream stream_{device_};
  const AttributeTable table_;
  const std::vector<float> map_;
  const int32_t stride_;
};
INSTANTIATE_TEST_SUITE_P(Shapes, PriorMeans,
                         testing::Values(Shape{0, 5, 1}, Shape{1, 0, 7}, Shape{3, 40, 33}, Shape{64, 10, 64}, Shape{65, 300, 128},
                                         Shape{130, 20, 129}, Shape{5, 5, 300}));

TEST_P(PriorMeans, AreTheSums) {
  const std::vector<float> means = compute({});
  const AttributeRows rows = table_.rows();
  const auto at = [&](int64_t f, int32_t j) { return double{map_[static_cast<size_t>(f * stride_ + j)]}; };
  for (int32_t r = 0; r < kRows; ++r)
    for (int32_t j = 0; j < stride_; ++j) {
      double sum = at(table_.column_count, j), scale = std::abs(sum);
      const auto add = [&](double value, int64_t f) {
        sum += value * at(f, j);
        scale += std::abs(value * at(f, j));
      };
      for (int32_t f = 0; f < rows.dense_count; ++f) add(double{rows.dense_row(r)[static_cast<size_t>(f)]}, f);
      for (size_t k = 0; k < rows.row_columns(r).size(); ++k) add(double{rows.row_values(r)[k]}, rows.row_columns(r)[k]);
      EXPECT_NEAR(double{means[static_cast<size_t>(r * stride_ + j)]}, sum, 3e-6 * scale) << "row " << r << ", column " << j;
    }
}

TEST_P(PriorMeans, OfListedRowsHaveTheSameBitsAndLeaveTheOthersAlone) {
  const std::vector<float> all = compute({}), some = compute({20, 3, 2, 11, 1, 5, 6, 7, 8, 9});
  const auto row = [&](const std::vector<float>& means, int32_t r) {
    return std::vector<float>(means.begin() + r * stride_, means.begin() + (r + 1) * stride_);
  };
  for (const int32_t r : {20, 3, 2, 11, 1, 9}) EXPECT_EQ(row(some, r), row(all, r)) << "row " << r;
  for (const int32_t r : {0, 4, 10, 19}) EXPECT_EQ(row(some, r), std::vector<float>(static_cast<size_t>(stride_), kUntouched));
}

}  // namespace
}  // namespace bouquet::cuda
