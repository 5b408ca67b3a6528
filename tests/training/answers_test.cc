#include "training/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/training/naive_model.h"
#include "training/baselines.h"
#include "training/content_neighbours.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;

// Two known customers over five items and a stranger. Item vectors are unit vectors, so that a profile lists its own scores.
class AnswersTest : public ::testing::Test {
 protected:
  AnswersTest() {
    model_.dimension = 5;
    model_.profiles = std::vector<float>{5, 4, 3, 2, 1, 1, 2, 3, 4, 5};
    std::vector<float> unit(25, 0);
    for (size_t i = 0; i < 5; ++i) unit[i * 5 + i] = 1;
    model_.item_vectors = unit;
    model_.item_gram = unit;
    tests_.customers = {0, 1, kNone};
    tests_.offsets = {0, 0, 0, 0};
    tests_.unknown_relevant = {1, 1, 1};
    popularity_ = Popularity::of({1, 9, 3, 9, 0});  // order 1 3 2 0 4
    known_.histories = {offsets_, items_, consumed_, repurchase_, counts_};
    known_.popularity = &popularity_;
  }

  Model model_;
  TestSet tests_;
  Popularity popularity_;
  // Customer 0 consumed 0 (once) and 2 (three times), viewed 3; customer 1 consumed 1 and 4, once each.
  std::vector<int64_t> offsets_{0, 3, 5};
  std::vector<int32_t> items_{0, 2, 3, 1, 4};
  std::vector<uint8_t> consumed_{1, 1, 0, 1, 1};
  std::vector<float> repurchase_{0.9f, 0.5f, 0, 0.1f, 0.2f};
  std::vector<int32_t> counts_{1, 3, 0, 1, 1};
  Knowledge known_;

  Answers model_answers(AnswerOptions options, double share = 0.5) {
    known_.repurchase_share = share;
    const auto answers = answers_of_model(NaiveModel(model_), tests_, known_, options);
    EXPECT_TRUE(answers.ok()) << answers.status();
    return answers.value_or(Answers{});
  }
};

TEST_F(AnswersTest, ModelOffersNewItemsAndAStrangerGetsPopularOnes) {
  const Answers answers = model_answers({.repeats = Repeats::kExclude, .lengths = {2, 4}});
  EXPECT_THAT(answers.rows[0], ElementsAre(1, 3, 3, 2, 1, 3));
  EXPECT_THAT(answers.rows[1], ElementsAre(1, 3, 4, kNone, 3, 2, 0, kNone, 1, 3, 2, 0));
}

TEST_F(AnswersTest, WithRepeatsTheHeadLeadsByItsShareOfEachLength) {
  const Answers answers = model_answers({.repeats = Repeats::kInclude, .lengths = {2, 4}});
  EXPECT_THAT(answers.rows[0], ElementsAre(0, 1, 4, 3, 1, 3));
  EXPECT_THAT(answers.rows[1], ElementsAre(0, 2, 1, 3, 4, 1, 3, 2, 1, 3, 2, 0));
}

TEST_F(AnswersTest, OnlyRepeatsAreTheHeadAlone) {
  const Answers answers = model_answers({.repeats = Repeats::kOnly, .lengths = {3}});
  EXPECT_THAT(answers.rows[0], ElementsAre(0, 2, kNone, 4, 1, kNone, kNone, kNone, kNone));
}

TEST_F(AnswersTest, GivenProfilesTakeThePlaceOfStoredOnes) {
  const std::vector<float> profiles{0, 0, 0, 0, 9, 9, 0, 0, 0, 0};
  known_.profiles = {profiles.data(), 2, 5};
  EXPECT_THAT(model_answers({.repeats = Repeats::kExclude, .lengths = {1}}).rows[0], ElementsAre(4, 0, 1));
}

TEST_F(AnswersTest, WorkersDoNotChangeAnswers) {
  tests_ = {};
  for (int32_t t = 0; t < 1000; ++t) {
    tests_.customers.push_back(t % 3 - 1);
    tests_.unknown_relevant.push_back(1);
    tests_.offsets.push_back(0);
  }
  EXPECT_EQ(model_answers({.repeats = Repeats::kInclude, .lengths = {3}, .workers = 1}).rows,
            model_answers({.repeats = Repeats::kInclude, .lengths = {3}, .workers = 4}).rows);
}

TEST_F(AnswersTest, MostPopularSkipsConsumedItemsOnlyWhenTheyAreExcluded) {
  EXPECT_THAT(most_popular(tests_, known_, {.repeats = Repeats::kExclude, .lengths = {2}}).rows[0], ElementsAre(1, 3, 3, 2, 1, 3));
  EXPECT_THAT(most_popular(tests_, known_, {.repeats = Repeats::kInclude, .lengths = {2}}).rows[0], ElementsAre(1, 3, 1, 3, 1, 3));
  EXPECT_THAT(most_popular(tests_, known_, {.repeats = Repeats::kOnly, .lengths = {2}}).rows[0], ElementsAre(2, 0, 1, 4, kNone, kNone));
}

TEST_F(AnswersTest, PersonalFrequencyCountsPurchasesAndBreaksTiesByPopularity) {
  EXPECT_THAT(personal_frequency(tests_, known_, {.repeats = Repeats::kInclude, .lengths = {4}}).rows[0],
              ElementsAre(2, 0, 1, 3, 1, 4, 3, 2, 1, 3, 2, 0));
  EXPECT_THAT(personal_frequency(tests_, known_, {.repeats = Repeats::kOnly, .lengths = {3}}).rows[0],
              ElementsAre(2, 0, kNone, 1, 4, kNone, kNone, kNone, kNone));
  EXPECT_EQ(personal_frequency(tests_, known_, {.repeats = Repeats::kExclude, .lengths = {2}}).rows,
            most_popular(tests_, known_, {.repeats = Repeats::kExclude, .lengths = {2}}).rows);
}

TEST(Popularity, PercentileSharesTies) {
  const Popularity p = Popularity::of({5, 1, 1, 0});
  EXPECT_THAT(p.order, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(p.percentile, ElementsAre(0.875f, 0.5f, 0.5f, 0.125f));
}

TEST(Repeats, ParsesItsNames) {
  for (const Repeats repeats : {Repeats::kExclude, Repeats::kInclude, Repeats::kOnly})
    EXPECT_EQ(*parse_repeats(repeats_name(repeats)), repeats);
  EXPECT_FALSE(parse_repeats("both").ok());
}

// Items 0, 3 and 4 alone.
class AmongThree : public AnswersTest {
 protected:
  AmongThree() { known_.among = {words_}; }
  const std::vector<uint64_t> words_{0b11001};
};

TEST_F(AmongThree, TheModelOffersNothingElse) {
  EXPECT_THAT(model_answers({.repeats = Repeats::kExclude, .lengths = {2}}).rows[0], ElementsAre(3, 4, 3, 0, 3, 0));
  EXPECT_THAT(model_answers({.repeats = Repeats::kInclude, .lengths = {2}}).rows[0], ElementsAre(0, 3, 4, 3, 3, 0));
  EXPECT_THAT(model_answers({.repeats = Repeats::kOnly, .lengths = {2}}).rows[0], ElementsAre(0, kNone, 4, kNone, kNone, kNone));
}

TEST_F(AmongThree, NeitherDoTheBaselines) {
  EXPECT_THAT(most_popular(tests_, known_, {.repeats = Repeats::kInclude, .lengths = {2}}).rows[0], ElementsAre(3, 0, 3, 0, 3, 0));
  EXPECT_THAT(most_popular(tests_, known_, {.repeats = Repeats::kOnly, .lengths = {2}}).rows[0],
              ElementsAre(0, kNone, 4, kNone, kNone, kNone));
  EXPECT_THAT(personal_frequency(tests_, known_, {.repeats = Repeats::kInclude, .lengths = {2}}).rows[0], ElementsAre(0, 3, 4, 3, 3, 0));
}

TEST_F(AmongThree, TheTestKeepsWhatIsRelevantThere) {
  tests_.customers = {0, 1};
  tests_.offsets = {0, 2, 3};
  tests_.relevant = {1, 3, 2};
  tests_.unknown_relevant = {1, 1};
  const TestSet left = restricted(tests_, known_.among);
  EXPECT_THAT(left.customers, ElementsAre(0));
  EXPECT_THAT(left.relevant, ElementsAre(3));
  EXPECT_THAT(left.offsets, ElementsAre(0, 1));
}

// Items 0 and 1 point the same way, 2 and 3 the other; 4 is between them, 0 has twice the length.
TEST_F(AnswersTest, ContentNeighboursGoByTheAttributesOfTheHistory) {
  const std::vector<int64_t> offsets{0, 1, 2, 3, 4, 6};
  const std::vector<int32_t> columns{0, 0, 1, 1, 0, 1};
  const std::vector<float> values{2, 1, 1, 1, 1, 1};
  const AttributeRows attributes{.column_count = 2, .offsets = offsets, .columns = columns, .values = values};
  const std::vector<int64_t> histories{0, 1, 2};
  const std::vector<int32_t> items{0, 2};
  const std::vector<uint8_t> consumed{1, 1};
  known_.histories = {histories, items, consumed, {}, {}};
  EXPECT_THAT(content_neighbours(tests_, known_, attributes, {.lengths = {3}}).rows[0], ElementsAre(1, 4, kNone, 3, 4, kNone, 1, 3, 2));
  const std::vector<uint64_t> not_four{0b01111};
  known_.among = {not_four};
  EXPECT_THAT(content_neighbours(tests_, known_, attributes, {.lengths = {2}, .workers = 2}).rows[0],
              ElementsAre(1, kNone, 3, kNone, 1, 3));
}

}  // namespace
}  // namespace bouquet::training
