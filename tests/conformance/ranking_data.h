// Tables that are hard to rank. In all of them the oracle's answer is the only right one, to the last bit.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/model.h"

namespace bouquet::conformance {

enum class Hardness {
  kGaussian,       // nothing special: norms vary log-normally
  kDecaying,       // as trained factors: most of the energy in few dimensions
  kDuplicates,     // every row stands there several times
  kOneUlpApart,    // rows differ from each other in the last bit of one number
  kCancelling,     // large terms that cancel leave the score
  kAscending,      // each row scores a little more than the one before, while norms fall
  kAligned,        // the best rows are not the longest but lie along the query: their norm is all they have
  kAllEqual,       // one row, many times
  kZeroRows,       // half of the rows are zero, the others score below and above
  kHuge,           // scores past the range of float
  kDenormal,       // numbers below the normal range of float
  kManyMagnitudes  // norms from 1e-30 to 1e30
};

inline const std::vector<std::pair<Hardness, std::string>>& hardnesses() {
  static const std::vector<std::pair<Hardness, std::string>> all = {
      {Hardness::kGaussian, "Gaussian"},     {Hardness::kDecaying, "Decaying"},
      {Hardness::kDuplicates, "Duplicates"}, {Hardness::kOneUlpApart, "OneUlpApart"},
      {Hardness::kCancelling, "Cancelling"}, {Hardness::kAscending, "Ascending"},
      {Hardness::kAligned, "Aligned"},       {Hardness::kAllEqual, "AllEqual"},
      {Hardness::kZeroRows, "ZeroRows"},     {Hardness::kHuge, "Huge"},
      {Hardness::kDenormal, "Denormal"},     {Hardness::kManyMagnitudes, "ManyMagnitudes"}};
  return all;
}

struct RankingData {
  int32_t dimension = 0;
  std::vector<float> asking;  // [., d]
  std::vector<float> ranked;  // [., d]

  MatrixView<const float> asking_matrix() const { return {asking.data(), static_cast<int64_t>(asking.size()) / dimension, dimension}; }
  MatrixView<const float> ranked_matrix() const { return {ranked.data(), static_cast<int64_t>(ranked.size()) / dimension, dimension}; }
};

class RankingDataMaker {
 public:
  RankingDataMaker(Hardness hardness, uint64_t seed) : hardness_(hardness), random_(seed) {}

  RankingData make(int32_t asking_rows, int32_t ranked_rows, int32_t d) {
    RankingData data{d, {}, {}};
    base_ = vector(d);
    for (int32_t r = 0; r < ranked_rows; ++r) append(data.ranked, ranked_row(r, ranked_rows, d));
    for (int32_t r = 0; r < asking_rows; ++r) append(data.asking, asking_row(r, d));
    return data;
  }

 private:
  static void append(std::vector<float>& to, const std::vector<float>& row) { to.insert(to.end(), row.begin(), row.end()); }
  float normal() { return std::normal_distribution<float>()(random_); }

  std::vector<float> vector(int32_t d) {
    std::vector<float> v(static_cast<size_t>(d));
    for (size_t j = 0; j < v.size(); ++j) v[j] = normal() * (hardness_ == Hardness::kDecaying ? 1 / static_cast<float>(j + 1) : 1);
    return v;
  }

  std::vector<float> scaled(std::vector<float> v, float by) {
    for (float& x : v) x *= by;
    return v;
  }

  std::vector<float> ranked_row(int32_t r, int32_t rows, int32_t d) {
    const float share = static_cast<float>(r + 1) / static_cast<float>(rows);
    std::vector<float> v = vector(d);
    switch (hardness_) {
      case Hardness::kGaussian:
      case Hardness::kDecaying: return scaled(std::move(v), std::exp(0.5f * normal()));
      case Hardness::kDuplicates:
        if (r % 5 == 0) base_ = v;
        return base_;
      case Hardness::kOneUlpApart: {
        std::vector<float> near = base_;
        float& x = near[random_() % near.size()];
        x = std::nextafter(x, random_() % 2 == 0 ? 10.0f : -10.0f);
        return near;
      }
      case Hardness::kCancelling:
        v.front() = 1e7f * (1 + share);
        if (d > 1) v.back() = -v.front();
        return v;
      case Hardness::kAscending:
        v = scaled(std::move(v), 2 - share);
        v.front() = 0.9f * share;
        return v;
      case Hardness::kAligned: {
        const bool longer = r % 2 == 0;
        v = scaled(std::move(v), (longer ? 0.35f : 1e-4f) / std::sqrt(static_cast<float>(d)));
        v.front() = (longer ? 0.985f : 1) + 1e-3f * share;
        return v;
      }
      case Hardness::kAllEqual: return base_;
      case Hardness::kZeroRows: return scaled(std::move(v), r % 2 == 0 ? 0.0f : 1.0f);
      case Hardness::kHuge: return scaled(std::move(v), r % 3 == 0 ? 1e37f : 1e19f);
      case Hardness::kDenormal: return scaled(std::move(v), r % 3 == 0 ? 1e-44f : 1e-40f);
      case Hardness::kManyMagnitudes: return scaled(std::move(v), std::pow(10.0f, 60 * share - 30));
    }
    return v;
  }

  // Row 1 is zero, row 2 the negative of row 0: ask for the worst as well as for the best.
  std::vector<float> asking_row(int32_t r, int32_t d) {
    std::vector<float> v = vector(d);
    if (hardness_ == Hardness::kCancelling) v.front() = v.back() = 1;
    if (hardness_ == Hardness::kAscending || hardness_ == Hardness::kAligned) v = scaled(std::move(v), 1e-3f), v.front() = 1;
    if (hardness_ == Hardness::kHuge) v = scaled(std::move(v), 1e19f);
    if (r == 0) first_asking_ = v;
    if (r == 1) return scaled(std::move(v), 0);
    if (r == 2) return scaled(first_asking_, -1);
    return v;
  }

  Hardness hardness_;
  std::mt19937_64 random_;
  std::vector<float> base_, first_asking_;
};

inline RankingData ranking_data(Hardness hardness, int32_t asking_rows, int32_t ranked_rows, int32_t d, uint64_t seed = 1) {
  return RankingDataMaker(hardness, seed).make(asking_rows, ranked_rows, d);
}

// A model that ranks `ranked` as its items for `asking` as its customers, or the other way round.
inline Model ranking_model(const RankingData& data, bool items_are_ranked = true) {
  Model model;
  const auto d = static_cast<size_t>(data.dimension);
  model.dimension = data.dimension;
  model.profiles = items_are_ranked ? data.asking : data.ranked;
  model.item_vectors = items_are_ranked ? data.ranked : data.asking;
  model.item_gram = std::vector<float>(d * d);
  return model;
}

}  // namespace bouquet::conformance
