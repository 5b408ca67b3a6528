// The content path against all scores computed anew in double.
#include "engine/content_blend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine/score.h"

namespace bouquet {
namespace {

constexpr int32_t kItems = 40, kDimension = 5, kCold = 15;  // the last kCold items have no events

class ContentBlendTest : public testing::Test {
 protected:
  ContentBlendTest() {
    std::normal_distribution<float> normal;
    std::vector<float> vectors(size_t{kItems} * kDimension);
    for (float& x : vectors) x = normal(random_);
    model_.dimension = kDimension;
    model_.item_vectors = std::move(vectors);
    for (float& x : profile_) x = normal(random_);
    std::vector<int64_t> offsets{0};
    std::vector<int32_t> items;
    std::vector<float> likeness;
    for (int32_t i = 0; i < kItems; ++i) {
      for (int32_t cold = kItems - kCold; i < kItems - kCold && cold < kItems; ++cold) {
        if (random_() % 3 != 0) continue;
        items.push_back(cold);
        likeness.push_back(static_cast<float>(random_() % 1000 + 1) / 1000);
        linked_[cold] = true;
      }
      offsets.push_back(static_cast<int64_t>(items.size()));
    }
    links_ = {.offsets = std::move(offsets), .items = std::move(items), .likeness = std::move(likeness), .spread = spread()};
  }

  // Weight 2.
  std::vector<float> spread() const {
    std::vector<double> mean(kDimension, 0);
    for (const auto& [item, yes] : linked_)
      for (size_t j = 0; j < kDimension; ++j) mean[j] += double{model_.item_matrix().row(item)[j]} / static_cast<double>(linked_.size());
    std::vector<float> out;
    for (size_t r = 0; r < kDimension; ++r)
      for (size_t c = 0; c < kDimension; ++c) {
        double sum = 0;
        for (const auto& [item, yes] : linked_) {
          const auto q = model_.item_matrix().row(item);
          sum += (double{q[r]} - mean[r]) * (double{q[c]} - mean[c]);
        }
        out.push_back(static_cast<float>(4 * sum / static_cast<double>(linked_.size())));
      }
    return out;
  }

  double own(int32_t item) const { return double{score(profile_.data(), model_.item_matrix().row(item).data(), kDimension)}; }

  double likeness(int32_t item, const std::vector<int32_t>& history) const {
    double sum = 0;
    for (const int32_t j : history)
      for (int64_t e = links_.offsets[j]; e < links_.offsets[j + 1]; ++e)
        if (links_.items[e] == item) sum += double{links_.likeness[e]};
    return sum;
  }

  template <typename Value>
  double deviation(const Value& value) const {
    double sum = 0, squares = 0;
    for (const auto& [item, yes] : linked_) {
      sum += value(item);
      squares += value(item) * value(item);
    }
    const auto n = static_cast<double>(linked_.size());
    return std::sqrt(squares / n - sum / n * (sum / n));
  }

  // The best k of `score_of`, best first, over the items that may be offered.
  template <typename Value, typename Allowed>
  static std::vector<int32_t> best(const Value& score_of, const Allowed& allowed, size_t k) {
    std::vector<std::pair<float, int32_t>> all;
    for (int32_t i = 0; i < kItems; ++i)
      if (allowed(i)) all.emplace_back(-static_cast<float>(score_of(i)), i);
    std::ranges::sort(all);
    std::vector<int32_t> out;
    for (size_t i = 0; i < std::min(k, all.size()); ++i) out.push_back(all[i].second);
    return out;
  }

  // The naive answer, and blend()'s.
  template <typename Allowed>
  void expect_naive(ContentBlend& blend, const std::vector<int32_t>& history, size_t k, const Allowed& allowed) {
    const double factor = 2 * deviation([&](int32_t i) { return own(i); }) / deviation([&](int32_t i) { return likeness(i, history); });
    const auto wanted = best([&](int32_t i) { return own(i) + factor * likeness(i, history); }, allowed, k);
    const std::vector<int32_t> rows = best([&](int32_t i) { return own(i); }, allowed, k);
    std::vector<float> scores;
    for (const int32_t i : rows) scores.push_back(static_cast<float>(own(i)));
    blend.blend(profile_, history, rows, scores, static_cast<int32_t>(k), allowed);
    EXPECT_EQ(std::vector<int32_t>(blend.rows().begin(), blend.rows().end()), wanted);
    EXPECT_NEAR(blend.factor(), factor, 1e-5 * factor);
    for (size_t i = 0; i < wanted.size(); ++i)
      EXPECT_NEAR(double{blend.scores()[i]}, own(wanted[i]) + factor * likeness(wanted[i], history), 1e-5);
  }

  std::mt19937 random_{11};
  Model model_;
  std::vector<float> profile_ = std::vector<float>(kDimension);
  ContentLinks links_;
  std::map<int32_t, bool> linked_;
};

TEST_F(ContentBlendTest, RanksAsScoresOfAllItemsWould) {
  ASSERT_TRUE(validate(links_, kItems, kDimension).ok());
  ContentBlend blend(model_, links_);
  for (const size_t k : {1u, 5u, 12u, 40u}) {
    expect_naive(blend, {1, 2, 7, 20}, k, [](ItemIndex) { return true; });
    expect_naive(blend, {0}, k, [](ItemIndex i) { return i % 3 != 0; });
  }
}

TEST_F(ContentBlendTest, ContributionsAreWhatIsAddedToTheProfilesScore) {
  ContentBlend blend(model_, links_);
  const std::vector<int32_t> history{1, 2, 7, 20};
  blend.blend(profile_, history, {}, {}, kItems, [](ItemIndex) { return true; });
  ASSERT_FALSE(blend.rows().empty());
  for (size_t i = 0; i < blend.rows().size(); ++i) {
    double sum = 0;
    for (const double part : blend.contributions(history, blend.rows()[i])) sum += part;
    EXPECT_NEAR(double{blend.scores()[i]}, own(blend.rows()[i]) + sum, 1e-5);
  }
  EXPECT_TRUE(blend.contributions(history, 3).empty());  // has events
}

TEST_F(ContentBlendTest, ChangesNothingWithoutLinksOrHistory) {
  const std::vector<int32_t> rows{4, 9, kNone};
  const std::vector<float> scores{2, 1, 0};
  const ContentLinks none;
  for (const ContentLinks* links : {&none, const_cast<const ContentLinks*>(&links_)}) {
    ContentBlend blend(model_, *links);
    if (links == &links_) blend.blend(profile_, std::vector<int32_t>{1, 2}, rows, scores, 3, [](ItemIndex) { return true; });
    blend.blend(profile_, {}, rows, scores, 3, [](ItemIndex) { return true; });  // nothing is left of the one before
    EXPECT_EQ(std::vector<int32_t>(blend.rows().begin(), blend.rows().end()), (std::vector<int32_t>{4, 9}));
    EXPECT_EQ(blend.factor(), 0);
  }
}

}  // namespace
}  // namespace bouquet
