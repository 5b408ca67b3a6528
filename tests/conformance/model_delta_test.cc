// Rows that a model gets after its training: as if it had been loaded with them, but for the Gram matrices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "engine/errors.h"
#include "tests/conformance/backend_test.h"

namespace bouquet::conformance {
namespace {

constexpr int32_t kDimension = 40;  // past what is solved directly
constexpr int32_t kItems = 90, kCustomers = 30;

std::vector<float> random_floats(int64_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.3f);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& x : values) x = normal(random);
  return values;
}

MatrixView<const float> rows_of(const std::vector<float>& values) {
  return {values.data(), static_cast<int64_t>(values.size()) / kDimension, kDimension};
}

std::vector<float> joined(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Model model_of(const std::vector<float>& items, const std::vector<float>& customers) {
  std::vector<float> gram(kDimension * kDimension);
  for (int32_t j = 0; j < kDimension; ++j) gram[static_cast<size_t>(j * (kDimension + 1))] = 1 + static_cast<float>(j);
  return {.dimension = kDimension,
          .profiles = customers,
          .item_vectors = items,
          .item_gram = gram,
          .customer_prior = {},
          .item_prior = {},
          .constants = {0.1, 0.5, 0.5, kItems, kCustomers}};
}

class ModelDeltas : public BackendTest {
 protected:
  const std::vector<float> items_ = random_floats(kItems * kDimension, 1), customers_ = random_floats(kCustomers * kDimension, 2);
  const std::vector<float> more_items_ = random_floats(7 * kDimension, 3), more_customers_ = random_floats(5 * kDimension, 4);

  std::shared_ptr<const LoadedModel> load(const Model& model) {
    auto loaded = backend().load(model);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return *loaded;
  }
  static std::shared_ptr<const LoadedModel> extended(const LoadedModel& model, const ModelDelta& delta) {
    auto made = model.with(delta);
    EXPECT_TRUE(made.ok()) << made.status();
    return *made;
  }
  std::shared_ptr<const LoadedModel> extended() {
    return extended(*load(model_of(items_, customers_)), {.items = rows_of(more_items_), .customers = rows_of(more_customers_)});
  }
  static std::vector<int32_t> ranked(const LoadedModel& model, Side side, const std::vector<int32_t>& rows, std::vector<float>& scores) {
    auto ranker = model.make_ranker(side, {.max_batch = 64, .max_k = 100});
    EXPECT_TRUE(ranker.ok()) << ranker.status();
    std::vector<int32_t> out(rows.size() * 100);
    scores.resize(out.size());
    const absl::Status status = (*ranker)->rank({.rows = rows, .k = 100}, {out, scores});
    EXPECT_TRUE(status.ok()) << status;
    return out;
  }
  static std::vector<float> solved(const LoadedModel& model, Side side, const std::vector<int32_t>& history) {
    auto profiler = model.make_profiler({.max_batch = 2, .solved = side});
    EXPECT_TRUE(profiler.ok()) << profiler.status();
    const std::vector<int64_t> offsets{0, static_cast<int64_t>(history.size())};
    const std::vector<float> confidences(history.size(), 1.0f);
    std::vector<float> out(kDimension);
    const absl::Status status = (*profiler)->solve({offsets, history, confidences, {}}, {.profiles = {out.data(), 1, kDimension}});
    EXPECT_TRUE(status.ok()) << status;
    return out;
  }
};

TEST_P(ModelDeltas, RankAsAModelThatWasLoadedWithThem) {
  const auto made = extended();
  const auto whole = load(model_of(joined(items_, more_items_), joined(customers_, more_customers_)));
  std::vector<float> scores, wanted_scores;
  for (const Side side : {Side::kItems, Side::kCustomers}) {
    const std::vector<int32_t> askers = side == Side::kItems ? std::vector<int32_t>{0, 29, 30, 34} : std::vector<int32_t>{0, 89, 90, 96};
    EXPECT_EQ(ranked(*made, side, askers, scores), ranked(*whole, side, askers, wanted_scores));
    EXPECT_EQ(scores, wanted_scores);
  }
}

TEST_P(ModelDeltas, SolveWithTheNewRowsAndTheOldGramMatrices) {
  const auto made = extended();
  const auto before = load(model_of(items_, customers_));
  const auto whole = load(model_of(joined(items_, more_items_), joined(customers_, more_customers_)));
  // Customers: the Gram matrix is stored with the model.
  EXPECT_EQ(solved(*made, Side::kCustomers, {3, 50, 93}), solved(*whole, Side::kCustomers, {3, 50, 93}));
  EXPECT_EQ(solved(*made, Side::kCustomers, {3, 50}), solved(*before, Side::kCustomers, {3, 50}));
  // Items: it is that of the customers who were there.
  EXPECT_EQ(solved(*made, Side::kItems, {3, 20}), solved(*before, Side::kItems, {3, 20}));
  EXPECT_NE(solved(*whole, Side::kItems, {3, 20}), solved(*before, Side::kItems, {3, 20}));
  EXPECT_NE(solved(*made, Side::kItems, {3, 32}), solved(*made, Side::kItems, {3}));
}

TEST_P(ModelDeltas, LeaveTheModelAsItWas) {
  const auto before = load(model_of(items_, customers_));
  std::vector<float> scores, wanted_scores;
  const std::vector<int32_t> wanted = ranked(*before, Side::kItems, {4}, wanted_scores);
  const auto made = extended(*before, {.items = rows_of(more_items_), .customers = {}});
  EXPECT_EQ(ranked(*before, Side::kItems, {4}, scores), wanted);
  std::vector<float> more_scores;
  EXPECT_NE(ranked(*made, Side::kItems, {4}, more_scores), wanted);
  EXPECT_EQ(ranked(*made, Side::kCustomers, {4}, scores), ranked(*before, Side::kCustomers, {4}, wanted_scores));
}

// What is shared with the model before outlives it, and rows can be added again and again.
TEST_P(ModelDeltas, OutliveTheModelThatTheyWereAddedTo) {
  auto model = load(model_of(items_, customers_));
  const std::vector<float> wanted = solved(*model, Side::kCustomers, {3, 50});
  model = extended(*model, {.items = {}, .customers = rows_of(more_customers_)});
  EXPECT_EQ(solved(*model, Side::kCustomers, {3, 50}), wanted);
  const std::vector<float> wanted_items = solved(*model, Side::kItems, {3, 32});
  model = extended(*model, {.items = rows_of(more_items_), .customers = {}});
  EXPECT_EQ(solved(*model, Side::kItems, {3, 32}), wanted_items);
  EXPECT_EQ(solved(*model, Side::kCustomers, {3, 50}), wanted);
  model = extended(*model, {.items = rows_of(more_items_), .customers = rows_of(more_customers_)});
  const auto whole =
      load(model_of(joined(joined(items_, more_items_), more_items_), joined(joined(customers_, more_customers_), more_customers_)));
  std::vector<float> scores, wanted_scores;
  EXPECT_EQ(ranked(*model, Side::kItems, {4, 31, 39}, scores), ranked(*whole, Side::kItems, {4, 31, 39}, wanted_scores));
  EXPECT_EQ(scores, wanted_scores);
}

TEST_P(ModelDeltas, RowsThatDoNotFitAreRefused) {
  const auto before = load(model_of(items_, customers_));
  const auto narrow = before->with({.items = {more_items_.data(), 2, kDimension - 1}});
  EXPECT_TRUE(absl::IsInvalidArgument(narrow.status())) << narrow.status();
  EXPECT_TRUE(absl::IsInvalidArgument(before->with({.items = {nullptr, 2, kDimension}}).status()));
  std::vector<float> broken = more_items_;
  broken[kDimension + 11] = std::numeric_limits<float>::quiet_NaN();
  for (const ModelDelta& delta :
       {ModelDelta{.items = rows_of(broken), .customers = {}}, ModelDelta{.items = {}, .customers = rows_of(broken)}}) {
    const absl::Status status = before->with(delta).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(message_of(status)),
                testing::HasSubstr("row 1 of the " + std::string(delta.items.rows > 0 ? "items" : "customers")));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, ModelDeltas, testing::ValuesIn(backend_names()), backend_test_name);

}  // namespace
}  // namespace bouquet::conformance
