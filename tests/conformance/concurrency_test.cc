// Several users of one backend at once: answers are those that each of them gets alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "tests/conformance/backend_test.h"
#include "tests/conformance/small_shop.h"
#include "tests/conformance/trained.h"

namespace bouquet::conformance {
namespace {

constexpr int32_t kTopK = 10;

// What a server asks of a model: profiles from histories, and the best items of every customer.
struct Served {
  std::vector<float> profiles;
  std::vector<int32_t> rows;
  std::vector<float> scores;

  bool operator==(const Served&) const = default;
};

class Concurrency : public BackendTest {
 protected:
  void SetUp() override {
    BackendTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const Model model = train(backend(), shop_, training_options(kDimension), 2);
    auto loaded = backend().load(model);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    loaded_ = *std::move(loaded);
  }

  // With a ranker and a profiler of its own, as each thread has. Nothing: an error.
  Served serve() const {
    const auto n = static_cast<size_t>(shop_.customer_count());
    const auto count = static_cast<int32_t>(n);
    auto ranker = loaded_->make_ranker(Side::kItems, {.max_batch = count, .max_k = kTopK});
    auto profiler = loaded_->make_profiler({.max_batch = count});
    if (!ranker.ok() || !profiler.ok()) return {};
    Served out{std::vector<float>(n * kDimension), std::vector<int32_t>(n * kTopK), std::vector<float>(n * kTopK)};
    const SparseRows& rows = shop_.by_customer;
    const MatrixView<float> profiles{out.profiles.data(), count, kDimension};
    if (!(*profiler)->solve({rows.offsets, rows.columns, rows.confidences, rows.targets}, {.profiles = profiles}).ok()) return {};
    const absl::Status ranked =
        (*ranker)->rank({.vectors = {out.profiles.data(), count, kDimension}, .k = kTopK}, {.rows = out.rows, .scores = out.scores});
    return ranked.ok() ? out : Served{};
  }

  static constexpr int32_t kDimension = 33;
  const Interactions shop_ = small_shop({.customers = 60, .items = 200});
  std::shared_ptr<const LoadedModel> loaded_;
};
INSTANTIATE_TEST_SUITE_P(Backends, Concurrency, testing::ValuesIn(backend_names()), backend_test_name);

TEST_P(Concurrency, SeveralServeFromOneModel) {
  const Served alone = serve();
  ASSERT_FALSE(alone.rows.empty());
  std::vector<int> same(4, 0);
  {
    std::vector<std::jthread> threads;
    for (int& count : same)
      threads.emplace_back([&, this] {
        for (int round = 0; round < 3; ++round) count += serve() == alone ? 1 : 0;
      });
  }
  EXPECT_THAT(same, testing::Each(3));
}

TEST_P(Concurrency, ATrainingRunsBesideAModelThatServes) {
  const Served alone = serve();
  ASSERT_FALSE(alone.rows.empty());
  const Interactions other = small_shop({.customers = 120, .items = 90, .seed = 8, .with_targets = true});
  const int32_t d = small_shapes() ? 8 : 64;
  const Model trained_alone = train(backend(), other, training_options(d), 2);
  Model trained;
  int served = 0, same = 0;
  {
    std::jthread server([&](const std::stop_token& stop) {
      do {
        ++served;
        same += serve() == alone ? 1 : 0;
      } while (!stop.stop_requested());
    });
    trained = train(backend(), other, training_options(d), 2);
  }
  EXPECT_GT(served, 0);
  EXPECT_EQ(same, served);
  EXPECT_TRUE(std::ranges::equal(trained.profiles, trained_alone.profiles));
  EXPECT_TRUE(std::ranges::equal(trained.item_vectors, trained_alone.item_vectors));
}

}  // namespace
}  // namespace bouquet::conformance
