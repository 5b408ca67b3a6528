#include "training/attribute_relevance.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace bouquet::training {
namespace {

constexpr int64_t kRows = 3000;
constexpr int32_t kDimension = 12, kNumbers = 100;

AttributeSchema schema_of() {
  std::vector<Attribute> attributes;
  for (int32_t a = 0; a < kNumbers; ++a) attributes.push_back({"number" + std::to_string(a), NumberTransform{}});
  attributes.push_back({"country", CategoryTransform{{"AT", "DE", "FR"}}});
  return AttributeSchema::make(std::move(attributes)).value();
}

// Numbers and a category for kRows rows whose vectors follow from number0, from the category if that is asked for, and from chance,
// mostly along the first dimension; a few rows weigh a hundred times what others do, and vary less.
class Relevance : public testing::Test {
 protected:
  explicit Relevance(float of_number = 0.2f, float of_country = 0.5f)
      : schema_(schema_of()), growing_(schema_.column_count(), schema_.dense_count()) {
    std::mt19937_64 random(4);
    std::normal_distribution<float> normal;
    for (int64_t r = 0; r < kRows; ++r) {
      std::vector<float> numbers;
      for (int32_t a = 0; a < kNumbers; ++a) numbers.push_back(normal(random) + 3);
      const auto country = static_cast<int32_t>(random() % 3);
      growing_.append(numbers, std::vector<int32_t>{schema_.place(kNumbers).sparse + country}, std::vector<float>{1});
      weights_.push_back(r % 50 == 0 ? 100 : 1);
      const float spread = r % 50 == 0 ? 0.2f : 1;
      for (int32_t j = 0; j < kDimension; ++j)
        vectors_.push_back(spread * (j == 0 ? 5 : 1) * normal(random) + (j == 3 ? of_number * (numbers[0] - 3) : 0) +
                           (j == 4 && country == 1 ? of_country : 0));
    }
  }

  WeightedRows side() const { return {growing_.rows(), weights_}; }
  std::vector<AttributeRelevance> find(int threads = 2) const {
    return attribute_relevance(schema_, side(), {vectors_.data(), kRows, kDimension}, threads);
  }

  AttributeSchema schema_;
  GrowingAttributes growing_;
  std::vector<double> weights_;
  std::vector<float> vectors_;
};

TEST_F(Relevance, TellsWhatSaysSomethingFromWhatSaysNothing) {
  const auto found = find();
  ASSERT_EQ(found.size(), kNumbers + 1);
  EXPECT_EQ(found[0].name, "number0");
  EXPECT_GT(found[0].share, 0.8);
  EXPECT_EQ(found[kNumbers].name, "country");
  EXPECT_GT(found[kNumbers].share, 0.6);
  double sum = 0, none = 0;
  for (size_t a = 1; a < kNumbers; ++a) {
    sum += found[a].share;
    none += found[a].share == 0 ? 1 : 0;
    EXPECT_LT(found[a].share, 0.7) << found[a].name;
  }
  EXPECT_LT(sum / (kNumbers - 1), 0.15);
  EXPECT_GT(none, 0.4 * (kNumbers - 1));  // T is below 1 for about every other
  EXPECT_LT(none, 0.8 * (kNumbers - 1));
}

class NoRelevance : public Relevance {
 protected:
  NoRelevance() : Relevance(0, 0) {}
};
TEST_F(NoRelevance, IsFoundWhereThereIsNone) {
  const auto found = find();
  EXPECT_LT(found[0].share, 0.5);
  EXPECT_LT(found[kNumbers].share, 0.5);
}

TEST_F(Relevance, IsTheSameAtAnyNumberOfThreads) {
  const auto one = find(1), three = find(3);
  for (size_t a = 0; a < one.size(); ++a) EXPECT_EQ(one[a].share, three[a].share);
}

TEST_F(Relevance, OfVectorsThatAreAllTheSameIsNone) {
  for (size_t i = 0; i < vectors_.size(); ++i) vectors_[i] = static_cast<float>(i % kDimension);
  for (const AttributeRelevance& a : find()) EXPECT_EQ(a.share, 0);
}

TEST_F(Relevance, RidgesMakeAColumnKeepItsShare) {
  const std::vector<AttributeRelevance> relevance{{"number1", 0.25}, {"number2", 1}, {"number3", 0}, {"gone", 0.5}, {"country", 0.5}};
  const auto ridges = relevance_ridges(schema_, side(), relevance);
  ASSERT_EQ(ridges.size(), static_cast<size_t>(schema_.column_count()));
  double all = 0, sum = 0, square = 0;  // of number1
  for (size_t r = 0; r < kRows; ++r) {
    const double x = double{growing_.rows().dense_row(static_cast<int64_t>(r))[1]};
    all += weights_[r];
    sum += weights_[r] * x;
    square += weights_[r] * x * x;
  }
  const double centred = square - sum * sum / all;
  EXPECT_NEAR(centred / (centred + ridges[1]), 0.25, 1e-9);
  EXPECT_EQ(ridges[2], 0);
  EXPECT_GT(ridges[3], 1e5 * centred);
  EXPECT_EQ(ridges[0], 0);  // not named
  const AttributeSchema::Place& country = schema_.place(kNumbers);
  EXPECT_GT(ridges[static_cast<size_t>(country.sparse)], 0);
  EXPECT_EQ(ridges[static_cast<size_t>(country.missing())], 0);  // nobody's is missing
}

}  // namespace
}  // namespace bouquet::training
