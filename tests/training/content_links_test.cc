// Links to items without events against cosines computed anew.
#include "training/content_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "engine/content_index.h"

namespace bouquet::training {
namespace {

constexpr int32_t kItems = 300, kDense = 2, kColumns = 9;

// Items 7, 17, 27, ... have no events; every row has two dense and up to three sparse numbers.
class ContentLinksTest : public testing::Test {
 protected:
  ContentLinksTest() {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    for (int32_t i = 0; i < kItems; ++i) {
      for (int32_t f = 0; f < kDense; ++f) dense_.push_back(normal(random));
      for (int32_t c = kDense; c < kColumns; ++c)
        if (random() % 3 == 0) {
          columns_.push_back(c);
          values_.push_back(normal(random));
        }
      offsets_.push_back(static_cast<int64_t>(columns_.size()));
      if (i % 10 != 7) by_item_.columns.push_back(0), by_item_.confidences.push_back(1);
      by_item_.offsets.push_back(static_cast<int64_t>(by_item_.columns.size()));
    }
    by_item_.column_count = 1;
    model_.dimension = 2;
    std::vector<float> vectors(2 * kItems);
    for (float& x : vectors) x = normal(random);
    model_.item_vectors = std::move(vectors);
  }

  AttributeRows rows() const { return {kColumns, kDense, dense_, offsets_, columns_, values_}; }

  std::vector<double> row(int32_t i) const {
    std::vector<double> out(kColumns, 0);
    for (size_t f = 0; f < kDense; ++f) out[f] = double{dense_[static_cast<size_t>(i) * kDense + f]};
    for (int64_t e = offsets_[static_cast<size_t>(i)]; e < offsets_[static_cast<size_t>(i) + 1]; ++e)
      out[static_cast<size_t>(columns_[static_cast<size_t>(e)])] = double{values_[static_cast<size_t>(e)]};
    return out;
  }

  double cosine(int32_t a, int32_t b) const {
    const auto x = row(a), y = row(b);
    double xy = 0, xx = 0, yy = 0;
    for (size_t f = 0; f < x.size(); ++f) xy += x[f] * y[f], xx += x[f] * x[f], yy += y[f] * y[f];
    return xy / std::sqrt(xx * yy);
  }

  std::vector<float> dense_, values_;
  std::vector<int64_t> offsets_{0};
  std::vector<int32_t> columns_;
  SparseRows by_item_;
  Model model_;
};

TEST_F(ContentLinksTest, LeadFromTheMostAlikeItemsWithEvents) {
  const ContentLinks links = link_content(rows(), by_item_, model_, 0.5, 1);
  ASSERT_TRUE(validate(links, kItems, 2).ok()) << validate(links, kItems, 2);
  std::map<int32_t, std::vector<int32_t>> from;
  for (int32_t j = 0; j < kItems; ++j)
    for (int64_t e = links.offsets[j]; e < links.offsets[j + 1]; ++e) {
      from[links.items[e]].push_back(j);
      EXPECT_NEAR(double{links.likeness[e]}, cosine(j, links.items[e]), 1e-5);
    }
  ASSERT_EQ(from.size(), 30u);
  for (const auto& [cold, linked] : from) {
    EXPECT_EQ(cold % 10, 7);
    EXPECT_EQ(linked.size(), kLinksPerItem);
    double least = 1;
    for (const int32_t j : linked) least = std::min(least, cosine(j, cold));
    for (int32_t j = 0; j < kItems; ++j) {
      if (j % 10 != 7 && cosine(j, cold) > least + 1e-5) {
        EXPECT_THAT(linked, testing::Contains(j));
      }
    }
    EXPECT_THAT(linked, testing::Each(testing::Truly([](int32_t j) { return j % 10 != 7; })));
  }
}

TEST_F(ContentLinksTest, SpreadIsTheCovarianceTimesTheSquaredWeight) {
  const ContentLinks links = link_content(rows(), by_item_, model_, 0.5, 1);
  double mean[2] = {}, product = 0;
  for (int32_t i = 7; i < kItems; i += 10)
    for (size_t j = 0; j < 2; ++j) mean[j] += double{model_.item_matrix().row(i)[j]} / 30;
  for (int32_t i = 7; i < kItems; i += 10)
    product += (double{model_.item_matrix().row(i)[0]} - mean[0]) * (double{model_.item_matrix().row(i)[1]} - mean[1]) / 30;
  EXPECT_NEAR(double{links.spread[1]}, 0.25 * product, 1e-6);
  EXPECT_EQ(links.spread[1], links.spread[2]);
}

TEST_F(ContentLinksTest, AreTheSameForAnyNumberOfThreads) {
  const ContentLinks one = link_content(rows(), by_item_, model_, 0.5, 1), four = link_content(rows(), by_item_, model_, 0.5, 4);
  EXPECT_TRUE(std::ranges::equal(one.items, four.items));
  EXPECT_TRUE(std::ranges::equal(one.likeness, four.likeness));
}

TEST_F(ContentLinksTest, AreNotMadeWithoutNeed) {
  EXPECT_TRUE(link_content(rows(), by_item_, model_, 0, 1).empty());
  EXPECT_TRUE(link_content({}, by_item_, model_, 0.5, 1).empty());
  SparseRows all_taken;
  for (int32_t i = 0; i < kItems; ++i) all_taken.columns.push_back(0), all_taken.offsets.push_back(i + 1);
  EXPECT_TRUE(link_content(rows(), all_taken, model_, 0.5, 1).empty());
  EXPECT_EQ(content_link_work(rows(), all_taken), 0);
  EXPECT_GE(content_link_work(rows(), by_item_), int64_t{30} * kItems * kDense);
}

// Items of which nothing but attributes is known are linked alike, whether the training knew them already or they come later.
TEST_F(ContentLinksTest, OfItemsThatComeLaterAreThoseOfTheTraining) {
  constexpr int32_t kTrained = 270;
  by_item_.offsets.resize(kTrained + 1);
  by_item_.columns.resize(static_cast<size_t>(by_item_.offsets.back()));
  AttributeRows trained = rows();
  trained.dense = trained.dense.first(size_t{kTrained} * kDense);
  trained.offsets = trained.offsets.first(kTrained + 1);
  Model model = model_;
  model.item_vectors = std::vector<float>(model_.item_vectors.begin(), model_.item_vectors.begin() + 2 * kTrained);
  const ContentLinks before = link_content(trained, by_item_, model, 0.5, 1);
  std::vector<uint8_t> has_events(kTrained);
  for (int32_t i = 0; i < kTrained; ++i) has_events[static_cast<size_t>(i)] = by_item_.row_length(i) > 0 ? 1 : 0;
  const ContentIndex index(trained, has_events);
  std::vector<double> sums(kTrained, 0);
  std::vector<int32_t> items;
  std::vector<std::vector<ContentLink>> found;
  for (int32_t i = kTrained; i < kItems; ++i) {
    items.push_back(i);
    found.push_back(index.most_alike(unit_row(rows(), i), sums));
    EXPECT_GE(index.work(unit_row(rows(), i)), static_cast<int64_t>(kLinksPerItem));
  }
  const ContentLinks after = with_links(before, model_, items, found);
  ASSERT_TRUE(validate(after, kItems, 2).ok()) << validate(after, kItems, 2);
  by_item_.offsets.resize(kItems + 1, by_item_.offsets.back());
  const ContentLinks all = link_content(rows(), by_item_, model_, 0.5, 1);
  EXPECT_EQ(after.linked_count(kItems), 57);
  EXPECT_EQ(after.weight, all.weight);
  EXPECT_TRUE(std::ranges::equal(after.offsets, all.offsets));
  EXPECT_TRUE(std::ranges::equal(after.items, all.items));
  EXPECT_TRUE(std::ranges::equal(after.likeness, all.likeness));
  EXPECT_TRUE(std::ranges::equal(after.spread, all.spread));
  EXPECT_FALSE(std::ranges::equal(before.spread, all.spread));
}

}  // namespace
}  // namespace bouquet::training
