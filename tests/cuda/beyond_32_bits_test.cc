// Kernels whose pairs, rows and matrix elements stand beyond what 32 bits count. The tables are as large as they say, and only what the
// kernels read and write of them is backed by memory, so that this runs on the emulation alone, and without a sanitizer.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cuda/half_step.h"
#include "cuda/objective.h"
#include "cuda/row_systems.h"
#include "cuda/score_kernels.h"
#include "cuda/solve_rules.h"
#include "tests/cuda/shaped_rows.h"
#include "tests/cuda/solved_rows.h"

namespace bouquet::cuda {
namespace {

constexpr int64_t k32Bits = int64_t{1} << 31;
constexpr int32_t kFixed = 90;

// `size` zeros, of which only those that are written take memory.
template <typename T>
class VastArray {
 public:
  explicit VastArray(int64_t size) : bytes_(static_cast<size_t>(size) * sizeof(T)) {
    void* const at = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    EXPECT_NE(at, MAP_FAILED);
    data_ = static_cast<T*>(at);
  }
  ~VastArray() { munmap(data_, bytes_); }
  VastArray(const VastArray&) = delete;
  VastArray& operator=(const VastArray&) = delete;

  T* data() const { return data_; }
  void write(int64_t at, std::span<const T> values) { std::memcpy(data_ + at, values.data(), values.size_bytes()); }

 private:
  size_t bytes_;
  T* data_ = nullptr;
};

// The same rows twice: at the beginning of tables, and far behind.
class Beyond32Bits : public testing::TestWithParam<int32_t> {
 protected:
  Beyond32Bits()
      : device_rows_(d(), random_vectors(kFixed, d(), 17)),
        first_row_(k32Bits / stride() + 5),
        vectors_((first_row_ + kFixed) * stride()),
        rotated_((first_row_ + kFixed) * stride()),
        columns_(k32Bits + 1000),
        confidences_(k32Bits + 1000),
        targets_(k32Bits + 1000),
        offsets_(first_row_ + 100),
        ridges_(first_row_ + 100),
        solved_((first_row_ + 100) * stride()) {
    near_ = device_rows_.source().view();
    far_ = near_;
    const auto numbers = static_cast<size_t>(kFixed * stride());
    vectors_.write(first_row_ * stride(), {near_.vectors, numbers});
    far_.vectors = vectors_.data();
    if (near_.rotated != nullptr) rotated_.write(first_row_ * stride(), {near_.rotated, numbers});
    far_.rotated = rotated_.data();
  }

  int32_t d() const { return GetParam(); }
  int64_t stride() const { return row_stride(d()); }

  void take(SparseRows taken) {
    rows_ = std::move(taken);
    const SparseRows& rows = rows_;
    count_ = rows.row_count();
    for (int32_t r = 0; r <= count_; ++r) offsets_.data()[first_row_ + r] = k32Bits + 7 + rows.offsets[static_cast<size_t>(r)];
    for (int32_t r = 0; r < count_; ++r) near_ridges_.push_back(0.25 + r);
    ridges_.write(first_row_, near_ridges_);
    std::vector<int32_t> far_columns;
    for (const int32_t c : rows.columns) far_columns.push_back(static_cast<int32_t>(first_row_) + c);
    columns_.write(k32Bits + 7, far_columns);
    confidences_.write(k32Bits + 7, rows.confidences);
    targets_.write(k32Bits + 7, rows.targets);
    near_pairs_ = {rows.offsets.data(), rows.columns.data(), rows.confidences.data(), rows.targets.data(), near_ridges_.data()};
    far_pairs_ = {offsets_.data(), columns_.data(), confidences_.data(), targets_.data(), ridges_.data()};
    near_solved_.assign(static_cast<size_t>(count_ * stride()), 0);
  }

  // Runs `solve(pairs, source, first row, out)` in both places.
  template <typename Solve>
  void expect_the_same(const Solve& solve) {
    int32_t failed = kNoneFailed;
    solve(near_pairs_, near_, 0, DeviceSolutions{near_solved_.data(), stride(), nullptr, 0, &failed});
    solve(far_pairs_, far_, static_cast<int32_t>(first_row_), DeviceSolutions{solved_.data(), stride(), nullptr, 0, &failed});
    stream_.synchronize();
    EXPECT_EQ(failed, kNoneFailed);
    const std::span<const float> far(solved_.data() + first_row_ * stride(), near_solved_.size());
    EXPECT_TRUE(std::ranges::equal(near_solved_, far));
    for (int32_t r = 0; r < count_; ++r) EXPECT_NE(near_solved_[static_cast<size_t>(r * stride())], 0) << "row " << r;
  }

  std::vector<int32_t> list(int32_t first) const {
    std::vector<int32_t> rows;
    for (int32_t r = 0; r < count_; ++r) rows.push_back(first + r);
    return rows;
  }

  const Device device_{0};
  const Stream stream_{device_};
  RowsOnTheDevice device_rows_;
  const int64_t first_row_;  // of the far tables
  VastArray<float> vectors_, rotated_;
  VastArray<int32_t> columns_;
  VastArray<float> confidences_, targets_;
  VastArray<int64_t> offsets_;
  VastArray<double> ridges_;
  VastArray<float> solved_;
  DeviceSource near_, far_;
  SparseRows rows_;
  std::vector<double> near_ridges_;
  std::vector<float> near_solved_;
  DevicePairs near_pairs_, far_pairs_;
  int32_t count_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Dimensions, Beyond32Bits, testing::Values(33, 270),
                         [](const auto& tested) { return "d" + std::to_string(tested.param); });

TEST_P(Beyond32Bits, RowsAreSolvedDirectly) {
  take(shaped_rows({40, 3}, kFixed, true, 5).by_customer);
  std::vector<float> workspace(static_cast<size_t>(2 * system_floats(d())));
  expect_the_same([&](const DevicePairs& pairs, const DeviceSource& source, int32_t first, const DeviceSolutions& out) {
    const std::vector<int32_t> rows = list(first);
    if (d() > kLargestTiledSystem)
      solve_large(pairs, source, {rows.data(), count_}, out, {workspace.data(), 2}, stream_);
    else
      solve_direct(pairs, source, {rows.data(), count_}, out, stream_);
    stream_.synchronize();
  });
}

TEST_P(Beyond32Bits, RowsAreSolvedByTheDual) {
  const int32_t length = std::min(16, longest_dual_row(d()));
  ASSERT_GT(length, 0);
  take(shaped_rows({length, length}, kFixed, true, 5).by_customer);
  expect_the_same([&](const DevicePairs& pairs, const DeviceSource& source, int32_t first, const DeviceSolutions& out) {
    const std::vector<int32_t> rows = list(first);
    solve_dual(pairs, source, {rows.data(), count_}, tile_shape(length), out, stream_);
    rotate_back(device_rows_.source().basis(), d(), {rows.data(), count_}, out, stream_);
    stream_.synchronize();
  });
}

TEST_P(Beyond32Bits, RowsAreSolvedInParts) {
  take(shaped_rows({40, 30}, kFixed, true, 5).by_customer);
  const std::vector<int32_t> first_slots{0, 2, 4};
  std::vector<float> sums(static_cast<size_t>(4 * system_floats(d()))), rights(static_cast<size_t>(4 * system_size(d())));
  std::vector<float> workspace(static_cast<size_t>(2 * system_floats(d())));
  expect_the_same([&](const DevicePairs& pairs, const DeviceSource& source, int32_t first, const DeviceSolutions& out) {
    const std::vector<int32_t> listed = list(first);
    std::vector<RowPart> parts;
    for (int32_t r = 0; r < count_; ++r)
      for (int32_t p = 0; p < 2; ++p) {
        const int64_t length = rows_.row_length(r), begin = part_begin(length, 2, p);
        parts.push_back(
            {first + r, 2 * r + p, pairs.offsets[first + r] + begin, static_cast<int32_t>(part_begin(length, 2, p + 1) - begin)});
      }
    const PartialSums partial{sums.data(), rights.data()};
    if (d() > kLargestTiledSystem) {
      sum_large_parts(pairs, source, parts.data(), 4, partial, stream_);
      solve_large_from_parts(pairs, source, {listed.data(), count_}, first_slots.data(), partial, out, {workspace.data(), 2}, stream_);
    } else {
      sum_parts(pairs, source, parts.data(), 4, partial, stream_);
      solve_from_parts(pairs, source, {listed.data(), count_}, first_slots.data(), partial, out, stream_);
    }
    stream_.synchronize();
  });
}

TEST_P(Beyond32Bits, RowsWithoutPairsAreShrunkAndCleared) {
  take(shaped_rows({1, 1}, kFixed, true, 5).by_customer);
  const std::vector<float> means = random_vectors(count_, static_cast<int32_t>(stride()), 6);
  VastArray<float> far_means((first_row_ + count_) * stride());
  far_means.write(first_row_ * stride(), means);
  near_pairs_.means = means.data();
  far_pairs_.means = far_means.data();
  expect_the_same([&](const DevicePairs& pairs, const DeviceSource& source, int32_t first, const DeviceSolutions& out) {
    const std::vector<int32_t> rows = list(first);
    shrink_means(pairs, source, {rows.data(), count_}, out, stream_);
    stream_.synchronize();
  });
  const std::vector<int32_t> rows = list(static_cast<int32_t>(first_row_));
  clear_rows({rows.data(), count_}, d(), {solved_.data(), stride(), nullptr, 0, nullptr}, stream_);
  stream_.synchronize();
  for (int32_t r = 0; r < count_; ++r)
    for (int32_t j = 0; j < d(); ++j) EXPECT_EQ(solved_.data()[(first_row_ + r) * stride() + j], 0) << "row " << r;
}

// The asking side has the rows of a table of profiles; the ranked side comes a tile at a time.
TEST(ScoresBeyond32Bits, AreThoseOfTheSameVectorsNearBy) {
  constexpr int32_t kDimension = 20, kQueries = 3, kRows = 64;
  const int64_t first = k32Bits / kDimension + 11;
  const Device device(0);
  const Stream stream(device);
  const std::vector<float> asking = random_vectors(kQueries, kDimension, 3), ranked = random_vectors(kRows, kDimension, 4);
  VastArray<float> profiles((first + kQueries) * kDimension);
  profiles.write(first * kDimension, asking);
  std::vector<int32_t> near{0, 1, 2}, far;
  for (const int32_t q : near) far.push_back(static_cast<int32_t>(first) + q);
  std::vector<float> near_bounds(kQueries * kRows), far_bounds(kQueries * kRows, -1);
  ScoreTile tile{};
  tile.ranked = ranked.data();
  tile.pitch = kRows;
  tile.queries = kQueries;
  tile.rows = kRows;
  tile.dimension = kDimension;
  tile.asking = asking.data();
  tile.asking_rows = near.data();
  tile.bounds = near_bounds.data();
  score_tile(stream, tile);
  tile.asking = profiles.data();
  tile.asking_rows = far.data();
  tile.bounds = far_bounds.data();
  score_tile(stream, tile);
  stream.synchronize();
  EXPECT_EQ(near_bounds, far_bounds);
  EXPECT_NE(near_bounds[5], 0);
}

// It reads each row that there is, which takes seconds, but few pairs: those of rows behind 2^31 elements, with columns as far.
TEST(ObjectiveBeyond32Bits, IsThatOfTheSameRowsNearBy) {
  constexpr int32_t kDimension = 33;
  const int64_t stride = row_stride(kDimension), first = k32Bits / stride + 5;
  const Device device(0);
  const Stream stream(device);
  const SparseRows rows = shaped_rows({40, 3}, kFixed, true, 5).by_customer;
  const std::vector<float> vectors = random_vectors(kFixed, static_cast<int32_t>(stride), 3);
  const std::vector<float> means = random_vectors(2, static_cast<int32_t>(stride), 4);
  const std::vector<double> ridges{0.25, 1.5}, none(kFixed, 0.0);
  const std::vector<double> gram(size_t{kDimension} * kDimension, 0.125);
  const int64_t pairs = rows.offsets.back();
  ObjectiveSide customers{.pairs = {rows.offsets.data(), rows.columns.data(), rows.confidences.data(), rows.targets.data(), ridges.data()},
                          .count = 2,
                          .factors = vectors.data(),
                          .gram = gram.data(),
                          .prior = {.means = means.data()}};
  ObjectiveSide items{.pairs = {.ridges = none.data()}, .count = kFixed, .factors = vectors.data(), .gram = gram.data()};
  Objective objective(stream);
  const double near = objective.evaluate(customers, items, pairs, kDimension, 0.5, stream);

  VastArray<float> far_vectors((first + kFixed) * stride), far_means((first + 2) * stride);
  VastArray<double> far_ridges(first + 2);
  VastArray<int64_t> far_offsets(first + 3);
  far_vectors.write(first * stride, vectors);
  far_means.write(first * stride, means);
  far_ridges.write(first, ridges);
  far_offsets.write(first, rows.offsets);
  std::vector<int32_t> far_columns;
  for (const int32_t c : rows.columns) far_columns.push_back(static_cast<int32_t>(first) + c);
  customers.pairs.offsets = far_offsets.data();
  customers.pairs.columns = far_columns.data();
  customers.pairs.ridges = far_ridges.data();
  customers.count = first + 2;
  customers.factors = far_vectors.data();
  customers.prior.means = far_means.data();
  items.factors = far_vectors.data();
  EXPECT_GT(near, 1);
  EXPECT_NEAR(objective.evaluate(customers, items, pairs, kDimension, 0.5, stream), near, 1e-12 * near);
}

}  // namespace
}  // namespace bouquet::cuda
