// The same data, seed and options give the same bits at any number of threads.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "engine/backend.h"
#include "tests/conformance/small_shop.h"

namespace bouquet::cpu {
namespace {

struct Trained {
  Model model;
  double objective = 0;
};

Trained train(const Interactions& interactions, int threads, int32_t dimension) {
  TrainingOptions options;
  options.dimension = dimension;
  auto backend = make_cpu_backend(threads);
  EXPECT_TRUE(backend.ok()) << backend.status();
  auto session = (*backend)->start_training(interactions, options);
  EXPECT_TRUE(session.ok()) << session.status();
  Trained trained;
  for (int epoch = 0; epoch < 2; ++epoch) {
    const auto stats = (*session)->run_epoch();
    EXPECT_TRUE(stats.ok()) << stats.status();
    trained.objective = stats->objective;
  }
  trained.model = *(*session)->snapshot();
  return trained;
}

bool same_bits(const SharedArray<float>& a, const SharedArray<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), static_cast<size_t>(a.size()) * sizeof(float)) == 0;
}

TEST(CpuTraining, GivesTheSameBitsAtAnyNumberOfThreads) {
  for (const int32_t d : {1, 33, 48}) {
    const Interactions shop = conformance::small_shop({.customers = 700, .items = 130, .with_targets = true});
    const Trained one = train(shop, 1, d);
    for (const int threads : {2, 3}) {
      const Trained many = train(shop, threads, d);
      EXPECT_TRUE(same_bits(one.model.profiles, many.model.profiles)) << threads << " threads, d = " << d;
      EXPECT_TRUE(same_bits(one.model.item_vectors, many.model.item_vectors)) << threads << " threads, d = " << d;
      EXPECT_TRUE(same_bits(one.model.item_gram, many.model.item_gram)) << threads << " threads, d = " << d;
      EXPECT_EQ(one.objective, many.objective) << threads << " threads, d = " << d;
    }
  }
}

TEST(CpuTraining, DependsOnTheSeed) {
  const Interactions shop = conformance::small_shop({});
  TrainingOptions options;
  options.dimension = 8;
  auto backend = *make_cpu_backend(1);
  const auto run = [&](uint64_t seed) {
    options.seed = seed;
    auto session = *backend->start_training(shop, options);
    EXPECT_TRUE(session->run_epoch().ok());
    return *session->snapshot();
  };
  EXPECT_TRUE(same_bits(run(1).profiles, run(1).profiles));
  EXPECT_FALSE(same_bits(run(1).profiles, run(2).profiles));
}

TEST(CpuBackend, RefusesANumberOfThreadsThatMakesNoSense) {
  EXPECT_TRUE(absl::IsInvalidArgument(make_cpu_backend(-1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(make_cpu_backend(1025).status()));
  EXPECT_TRUE(make_cpu_backend(0).ok());
}

TEST(CpuBackend, LetsSeveralProfilersWorkAtOnce) {
  const Interactions shop = conformance::small_shop({.customers = 100});
  TrainingOptions options;
  options.dimension = 40;
  auto backend = *make_cpu_backend(2);
  auto session = *backend->start_training(shop, options);
  ASSERT_TRUE(session->run_epoch().ok());
  const Model model = *session->snapshot();
  const auto loaded = *backend->load(model);
  const SparseRows& rows = shop.by_customer;
  std::vector<std::vector<float>> solved(3, std::vector<float>(static_cast<size_t>(model.profiles.size())));
  {
    std::vector<std::jthread> threads;
    for (std::vector<float>& out : solved)
      threads.emplace_back([&] {
        auto profiler = *loaded->make_profiler({.max_batch = 100});
        for (int round = 0; round < 5; ++round)
          EXPECT_TRUE(profiler->solve({rows.offsets, rows.columns, rows.confidences, {}}, {.profiles = {out.data(), 100, 40}}).ok());
      });
  }
  for (const std::vector<float>& out : solved) EXPECT_TRUE(same_bits(model.profiles, SharedArray<float>(out)));
}

TEST(CpuBackend, MayGoBeforeWhatItMade) {
  const Interactions shop = conformance::small_shop({});
  TrainingOptions options;
  options.dimension = 8;
  std::unique_ptr<TrainingSession> session;
  std::shared_ptr<const LoadedModel> loaded;
  std::unique_ptr<Profiler> profiler;
  {
    auto backend = *make_cpu_backend(2);
    session = *backend->start_training(shop, options);
    ASSERT_TRUE(session->run_epoch().ok());
    loaded = *backend->load(*session->snapshot());
    profiler = *loaded->make_profiler({});
    loaded.reset();
  }
  EXPECT_TRUE(session->run_epoch().ok());
  const std::vector<int64_t> offsets{0, 2};
  const std::vector<int32_t> items{1, 5};
  const std::vector<float> confidences{1, 2};
  std::vector<float> profile(8);
  EXPECT_TRUE(profiler->solve({offsets, items, confidences, {}}, {.profiles = {profile.data(), 1, 8}}).ok());
}

}  // namespace
}  // namespace bouquet::cpu
