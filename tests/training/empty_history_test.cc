// The choice of what counts for customers without events, beside what fold-in makes of every share.
#include "training/empty_history.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "cpu_fallback/cpu_backend.h"
#include "training/attribute_files.h"
#include "training/baselines.h"
#include "training/evaluator.h"

namespace bouquet::training {
namespace {

constexpr int32_t kCustomers = 150, kItems = 40, kDimension = 4;

class EmptyHistoryChoiceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(path()) << rows();
    for (int32_t c = 0; c < kCustomers; ++c) dataset_.customers.add("c" + std::to_string(c));
    dataset_.customer_attributes.source.files = {path()};
    ReadReport report;
    auto read = read_attributes(dataset_.customer_attributes.source, dataset_.customers, {}, report);
    ASSERT_TRUE(read.ok()) << read.status();
    set_.customer_schema = read->schema;
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    const auto floats = [&](size_t n) {
      std::vector<float> values(n);
      for (float& x : values) x = normal(random);
      return values;
    };
    model_.dimension = kDimension;
    model_.item_vectors = floats(size_t{kItems} * kDimension);
    model_.customer_prior = {read->schema.dense_count(), floats(static_cast<size_t>(read->schema.column_count() + 1) * kDimension)};
    model_.constants = {0.5, 0.2, 0.5, kItems, 10};
    std::vector<float> gram(size_t{kDimension} * kDimension, 0);
    for (int32_t i = 0; i < kItems; ++i)
      for (size_t a = 0; a < kDimension; ++a)
        for (size_t b = 0; b < kDimension; ++b) gram[a * kDimension + b] += model_.item_matrix().row(i)[a] * model_.item_matrix().row(i)[b];
    model_.item_gram = gram;
    backend_ = *cpu::make_cpu_backend(1);
    popularity_ = Popularity::of(std::vector<int32_t>(kItems, 1));
    known_.popularity = &popularity_;
    for (int32_t c = 0; c < kCustomers; ++c) {
      tests_.customers.push_back(kNone);
      tests_.asked.push_back(c);
      for (int32_t i = c % 7; i < kItems; i += 5 + c % 4) tests_.relevant.push_back(i);
      tests_.offsets.push_back(static_cast<int64_t>(tests_.relevant.size()));
      tests_.unknown_relevant.push_back(0);
    }
  }
  void TearDown() override { std::filesystem::remove(path()); }

  static std::string path() { return testing::TempDir() + "empty_history" + std::to_string(::getpid()) + ".csv"; }
  // Every customer but the last ten.
  static std::string rows() {
    std::string text = "customer_id,age,country\n";
    for (int32_t c = 0; c < kCustomers - 10; ++c)
      text += "c" + std::to_string(c) + "," + std::to_string(20 + c % 40) + (c % 3 == 0 ? ",de\n" : ",fr\n");
    return text;
  }

  absl::StatusOr<std::optional<EmptyHistoryChoice>> choose() {
    return choose_empty_share(dataset_, set_, tests_, known_, model_, **backend_->load(model_), kNdcg, 1);
  }

  // By the seam.
  double figure(double share) {
    Model model = model_;
    model.constants.empty_history_share = share;
    const auto loaded = *backend_->load(model);
    ReadReport report;
    const auto encoded = encode_attributes(dataset_.customer_attributes.source, set_.customer_schema, dataset_.customers, report);
    const std::vector<int64_t> offsets(kCustomers + 1, 0);
    std::vector<float> profiles(size_t{kCustomers} * kDimension);
    HistoryBatch batch;
    batch.offsets = offsets;
    batch.attributes = encoded->table.rows();
    const auto profiler = *loaded->make_profiler({.max_batch = kCustomers});
    EXPECT_TRUE(profiler->solve(batch, {.profiles = {profiles.data(), kCustomers, kDimension}}).ok());
    Knowledge known = known_;
    known.histories.offsets = offsets;
    known.profiles = {profiles.data(), kCustomers, kDimension};
    const TestSet tests = of_those_with_rows();
    const auto answers = answers_of_model(*loaded, tests, known, {.repeats = Repeats::kExclude, .lengths = {20}});
    return mean_metric(*answers, 0, kNdcg, tests, known, Repeats::kExclude);
  }

  TestSet of_those_with_rows() const {
    TestSet tests;
    for (int32_t c = 0; c < kCustomers - 10; ++c) {
      tests.customers.push_back(c);
      const auto relevant = tests_.relevant_of(c);
      tests.relevant.insert(tests.relevant.end(), relevant.begin(), relevant.end());
      tests.offsets.push_back(static_cast<int64_t>(tests.relevant.size()));
      tests.unknown_relevant.push_back(0);
    }
    return tests;
  }

  Dataset dataset_;
  TrainingSet set_;
  Model model_;
  std::unique_ptr<Backend> backend_;
  Popularity popularity_;
  Knowledge known_;
  TestSet tests_;
};

TEST_F(EmptyHistoryChoiceTest, IsTheBestOfWhatFoldInWouldMake) {
  const auto choice = choose();
  ASSERT_TRUE(choice.ok()) << choice.status();
  ASSERT_TRUE(choice->has_value());
  EXPECT_EQ((*choice)->customers, kCustomers - 10);
  EXPECT_NEAR((*choice)->figure, figure((*choice)->share), 1e-6);
  EXPECT_NEAR((*choice)->with_all, figure(1), 1e-6);
  EXPECT_NE(figure(0), figure(1));
  for (const double share : {0.0, 0.01, 0.1, 0.3, 1.0}) EXPECT_GE((*choice)->figure + 1e-6, figure(share)) << share;
  const TestSet tests = of_those_with_rows();
  const std::vector<int64_t> offsets(kCustomers + 1, 0);
  Knowledge known = known_;
  known.histories.offsets = offsets;
  const Answers popular = most_popular(tests, known, {.repeats = Repeats::kExclude, .lengths = {20}});
  EXPECT_NEAR((*choice)->popular, mean_metric(popular, 0, kNdcg, tests, known, Repeats::kExclude), 1e-6);
}

TEST_F(EmptyHistoryChoiceTest, IsNotMadeByAFew) {
  for (int32_t c = 0; c < kCustomers; ++c)
    if (c >= kLeastEmptyHistories - 1) tests_.customers[static_cast<size_t>(c)] = 0;  // has a history
  const auto choice = choose();
  ASSERT_TRUE(choice.ok()) << choice.status();
  EXPECT_FALSE(choice->has_value());
  tests_.customers[static_cast<size_t>(kLeastEmptyHistories - 1)] = kNone;
  EXPECT_TRUE(choose()->has_value());
}

}  // namespace
}  // namespace bouquet::training
