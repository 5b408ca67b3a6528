// The transforms that known rows must give.
#include "training/attribute_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "engine/errors.h"
#include "engine/words.h"
#include "training/number_sample.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Fit {
 public:
  explicit Fit(AttributeType type, AttributeSetting setting = {}) : attributes_{{"x", type, setting}}, fitter_(attributes_) {}
  Fit& add(const AttributeValue& value) {
    const absl::Status status = fitter_.add(key_++, std::span(&value, 1));
    if (!status.ok()) error = message_of(status);
    return *this;
  }
  template <typename Transform>
  Transform transform() {
    const auto fitted = fitter_.finish();
    if (!fitted.ok() || fitted->schema.empty()) {
      ADD_FAILURE() << "nothing was fitted";
      return {};
    }
    return std::get<Transform>(fitted->schema.attributes()[0].transform);
  }
  std::vector<AttributeFinding> findings() { return fitter_.finish()->findings; }
  std::string error;

 private:
  std::vector<TypedAttribute> attributes_;
  AttributeFitter fitter_;
  uint64_t key_ = 0;
};

TEST(AttributeFit, NumbersIgnoreOutliers) {
  Fit fit(AttributeType::kNumber);
  for (int i = 0; i <= 10000; ++i) fit.add(AttributeValue::of_number(i / 100.0));
  for (int i = 0; i < 5; ++i) fit.add(AttributeValue::of_number(1e12));
  const auto t = fit.transform<NumberTransform>();
  EXPECT_NEAR(t.low, 0.1, 0.011);
  EXPECT_NEAR(t.high, 99.95, 0.051);  // five of 10,006 are fewer than one in a thousand
  EXPECT_NEAR(t.mean, 50.02, 0.02);
  EXPECT_NEAR(t.deviation, 100 / std::sqrt(12), 0.03);
}

TEST(AttributeFit, NumbersThatAreNearlyAlwaysEqualAreNotClippedAway) {
  Fit fit(AttributeType::kNumber);
  for (int i = 0; i < 5000; ++i) fit.add(AttributeValue::of_number(i == 7 ? 10 : 0));
  const auto t = fit.transform<NumberTransform>();
  EXPECT_EQ(t.low, 0);
  EXPECT_EQ(t.high, 10);
  EXPECT_NEAR(t.mean, 10.0 / 5000, 1e-12);
}

TEST(AttributeFit, NumbersOfAnySizeGiveASchema) {
  for (const double large : {1e-308, 1e30, 1e200, 1.7e308}) {
    Fit fit(AttributeType::kNumber);
    for (int i = 0; i < 3; ++i) fit.add(AttributeValue::of_number(i % 2 == 0 ? large : -large));
    EXPECT_GT(fit.transform<NumberTransform>().deviation, 0) << large;
  }
}

TEST(AttributeFit, LogarithmsAreStandardisedAfterwards) {
  Fit fit(AttributeType::kNumber, {.type = AttributeType::kNumber, .log1p = true});
  for (int i = 0; i < 10; ++i) fit.add(AttributeValue::of_number(i % 2 == 0 ? std::expm1(1) : std::expm1(3)));
  const auto t = fit.transform<NumberTransform>();
  EXPECT_TRUE(t.log1p);
  EXPECT_NEAR(t.mean, 2, 1e-12);
  EXPECT_NEAR(t.deviation, 1, 1e-12);
}

TEST(NumberSample, IsBoundedAndDoesNotDependOnTheOrder) {
  NumberSample forwards(1000), backwards(1000), everything(1 << 20);
  for (int i = 0; i < 100000; ++i) {
    const auto key = static_cast<uint64_t>(i), other = static_cast<uint64_t>(99999 - i);
    forwards.add(key, static_cast<double>(key));
    backwards.add(other, static_cast<double>(other));
    everything.add(key, static_cast<double>(key));
  }
  EXPECT_EQ(forwards.fit().mean, backwards.fit().mean);
  EXPECT_NE(forwards.fit().mean, everything.fit().mean);  // it was sampled
  EXPECT_NEAR(forwards.fit().mean, 50000, 5000);
}

TEST(AttributeFit, CategoriesNeedAMinimalCount) {
  Fit fit(AttributeType::kCategory, {.type = AttributeType::kCategory, .min_count = 3});
  for (const char* value : {"b", "b", "b", "rare", "rare", "a", "a", "a", "c", "c", "c", "c"}) fit.add(AttributeValue::of_text(value));
  EXPECT_THAT(fit.transform<CategoryTransform>().values, ElementsAre("c", "a", "b"));
  Fit bounded(AttributeType::kCategory, {.type = AttributeType::kCategory, .min_count = 1, .max_values = 2});
  for (const char* value : {"b", "b", "a", "c", "c", "c"}) bounded.add(AttributeValue::of_text(value));
  EXPECT_THAT(bounded.transform<CategoryTransform>().values, ElementsAre("c", "b"));
}

TEST(AttributeFit, AMillionCategoriesAreAnError) {
  Fit fit(AttributeType::kCategory);
  for (int i = 0; i < 1000000 && fit.error.empty(); ++i) fit.add(AttributeValue::of_number(i));
  EXPECT_THAT(fit.error, HasSubstr("attribute x: has more than 500000 different values; is it an id? Ignore it (ignore = true)"));
}

TEST(AttributeFit, WeightedSetsCountRowsForTheIdf) {
  Fit fit(AttributeType::kSet, {.type = AttributeType::kSet, .weighted = true, .min_count = 2});
  fit.add(AttributeValue::of_text("tea:5|pot:1|tea:2")).add(AttributeValue::of_text("tea:1")).add(AttributeValue::of_text("pot:1|rare:1"));
  const auto t = fit.transform<SetTransform>();
  EXPECT_THAT(t.values, ElementsAre("pot", "tea"));
  EXPECT_THAT(t.idf, ElementsAre(static_cast<float>(std::log(4.0 / 3) + 1), static_cast<float>(std::log(4.0 / 3) + 1), 1.0f));
  fit.add(AttributeValue::of_text("tea"));
  EXPECT_EQ(fit.error, "attribute x: 'tea' is not of the form word:weight");
}

TEST(AttributeFit, TextKnowsRowsAndWordsOfBuckets) {
  Fit fit(AttributeType::kText, {.type = AttributeType::kText, .bits = 17});
  fit.add(AttributeValue::of_text("Green tea tea")).add(AttributeValue::of_text("black TEA")).add(AttributeValue::of_text("coffee"));
  const auto t = fit.transform<TextTransform>();
  const auto tea = static_cast<size_t>(word_bucket("tea", 17)), coffee = static_cast<size_t>(word_bucket("coffee", 17));
  EXPECT_FLOAT_EQ(t.idf[tea], static_cast<float>(std::log(4.0 / 3) + 1));
  EXPECT_FLOAT_EQ(t.idf[coffee], static_cast<float>(std::log(4.0 / 2) + 1));
  EXPECT_EQ(t.words[tea], "tea");
  EXPECT_EQ(t.words[coffee], "coffee");
}

TEST(AttributeFit, VectorsGetTheRootMeanSquareLengthOne) {
  Fit fit(AttributeType::kVector);
  const std::vector<float> a{3, 4}, b{0, 1}, wrong{1, 2, 3};
  fit.add(AttributeValue::of_vector(a)).add(AttributeValue::of_vector(b)).add({});
  const auto t = fit.transform<VectorTransform>();
  EXPECT_EQ(t.length, 2);
  EXPECT_FLOAT_EQ(t.scale, static_cast<float>(1 / std::sqrt(13.0)));
  fit.add(AttributeValue::of_vector(wrong));
  EXPECT_EQ(fit.error, "attribute x: the vector has 3 numbers where 2 belong, as in the first one");
}

TEST(AttributeFit, FindsConstantsAndWhatIsMissingEverywhere) {
  Fit constant(AttributeType::kNumber), missing(AttributeType::kFlag), nearly(AttributeType::kFlag);
  for (int i = 0; i < 5; ++i) {
    constant.add(AttributeValue::of_number(3));
    missing.add({});
    nearly.add(i == 0 ? AttributeValue() : AttributeValue::of_flag(true));
  }
  ASSERT_THAT(constant.findings(), SizeIs(1));
  EXPECT_EQ(constant.findings()[0].kind, AttributeFinding::Kind::kConstant);
  ASSERT_THAT(missing.findings(), SizeIs(1));
  EXPECT_EQ(missing.findings()[0].kind, AttributeFinding::Kind::kAllMissing);
  EXPECT_THAT(nearly.findings(), SizeIs(0));  // missing or true are two states
}

TEST(AttributeFit, FindsIdsAndKeepsThoseThatWereAskedFor) {
  const auto id_of = [](AttributeType type, int i) {
    if (type == AttributeType::kNumber) return AttributeValue::of_number(1000 + 7 * i);
    static std::string text;
    text = "user" + std::to_string(i);
    return AttributeValue::of_text(text);
  };
  for (const AttributeType type : {AttributeType::kNumber, AttributeType::kCategory, AttributeType::kText}) {
    Fit guessed(type), given(type, {.type = type}), few(type), measured(AttributeType::kNumber);
    for (int i = 0; i < 200; ++i) {
      guessed.add(id_of(type, i));
      given.add(id_of(type, i));
      if (i < 99) few.add(id_of(type, i));
      measured.add(AttributeValue::of_number(i + 0.5));
    }
    ASSERT_THAT(guessed.findings(), SizeIs(1)) << static_cast<int>(type);
    EXPECT_THAT(guessed.findings()[0].message, HasSubstr("like an id; it is left out"));
    ASSERT_THAT(given.findings(), SizeIs(1));
    EXPECT_THAT(given.findings()[0].message, HasSubstr("it is kept because its type is given"));
    EXPECT_THAT(few.findings(), SizeIs(0));
    EXPECT_THAT(measured.findings(), SizeIs(0));
  }
}

}  // namespace
}  // namespace bouquet::training
