// A synthetic shop with planted attributes, trained on without some customers and some items, and what the model makes of those beside the
// planted truth: what nobody could rank better.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "training/baselines.h"
#include "training/evaluated_model.h"
#include "training/event_reader.h"
#include "training/progress.h"
#include "training/shop_files.h"
#include "training/training_run.h"

namespace bouquet::training {

inline ShopSettings planted_shop_of(ShopSettings shop, bool linear, int32_t attributes) {
  shop.clusters = 12;
  shop.popularity_slope = 0.3;
  shop.taste_share = 0.9;
  shop.repeat_share = 0.1;
  shop.return_share = 0;
  shop.plant = {.attributes = attributes, .informative = 3, .linear = linear, .taste_noise = 0.1, .missing_share = 0.05};
  return shop;
}

// Mean NDCG@20 of each.
struct PlantedFigures {
  double model = 0, truth = 0, linear = 0, popular = 0;  // linear: the truth as far as a linear function of the attributes can know it
};

class PlantedWorld {
 public:
  static constexpr int32_t kLength = 20;

  PlantedWorld(const ShopSettings& settings, TrainingOptions options, int32_t epochs, const std::string& name)
      : folder_(std::filesystem::path(::testing::TempDir()) / (name + std::to_string(::getpid()))),
        shop_(SyntheticShop::make(settings).value()),
        backend_(cpu::make_cpu_backend(2).value()) {
    std::filesystem::create_directories(folder_);
    EXPECT_TRUE(write_shop(shop_, folder_.string(), ShopFormat::kCsv, ShopOrder::kCustomer).ok());
    write_events("warm.csv", [](int32_t c, int32_t i) { return !is_cold_customer(c) && !is_cold_item(i); });
    write_events("cold_customers.csv", [](int32_t c, int32_t i) { return is_cold_customer(c) && !is_cold_item(i); });
    write_events("cold_items.csv", [](int32_t c, int32_t i) { return c % 10 == 1 && is_cold_item(i); });
    write_events("both_cold.csv", [](int32_t c, int32_t i) { return is_cold_customer(c) && is_cold_item(i); });
    write_items("warm.txt", false);
    write_items("cold.txt", true);
    train(options, epochs);
  }
  ~PlantedWorld() { std::filesystem::remove_all(folder_); }

  // Customers without an event, by their attributes, among the items with events.
  PlantedFigures cold_customers() {
    const EvaluateFlags flags = flags_of("cold_customers.csv", "warm.txt", {path("customers.csv")});
    EvaluatedModel evaluated;
    EXPECT_TRUE(evaluated.prepare(flags, *artifact_, *model_).ok());
    const ColdCustomers& cold = *evaluated.cold();
    const PlantedSide& plant = *shop_.customer_plant();
    const auto chance = [&](const std::vector<double>& tastes, int32_t item) {
      return shop_.chance(tastes, appeal_[static_cast<size_t>(item)], shop_.popularity_of(item));
    };
    return figures(
        evaluated, cold.tests, cold.known, chance, [&](int32_t c) { return plant.expected_tastes(c); },
        [&](int32_t c) { return plant.linear_tastes(c); });
  }

  // Items without an event, by their attributes, for customers with a history.
  PlantedFigures cold_items() {
    const EvaluateFlags flags = flags_of("cold_items.csv", "cold.txt", {});
    EvaluatedModel evaluated;
    EXPECT_TRUE(evaluated.prepare(flags, *artifact_, *model_).ok());
    const PlantedSide& items = *shop_.item_plant();
    std::vector<std::vector<double>> expected(appeal_.size()), linear(appeal_.size());
    for (size_t i = 0; i < appeal_.size(); ++i) {
      expected[i] = items.expected_tastes(static_cast<int64_t>(i));
      linear[i] = items.linear_tastes(static_cast<int64_t>(i));
    }
    const auto tastes = [&](int32_t c) { return shop_.customer_plant()->tastes(c); };
    const auto by = [&](const std::vector<std::vector<double>>& appeal) {
      return [this, &appeal](const std::vector<double>& shares, int32_t item) {
        return shop_.chance(shares, appeal[static_cast<size_t>(item)], 1);
      };
    };
    PlantedFigures out = figures(evaluated, evaluated.tests(), evaluated.known(), by(expected), tastes, tastes);
    out.linear = truth_ndcg(evaluated, evaluated.tests(), evaluated.known(), by(linear), tastes);
    return out;
  }

  // Items without an event for customers without one: both by their attributes alone.
  PlantedFigures both_cold() {
    const EvaluateFlags flags = flags_of("both_cold.csv", "cold.txt", {path("customers.csv")});
    EvaluatedModel evaluated;
    EXPECT_TRUE(evaluated.prepare(flags, *artifact_, *model_).ok());
    const ColdCustomers& cold = *evaluated.cold();
    const PlantedSide &customers = *shop_.customer_plant(), &items = *shop_.item_plant();
    const auto expected = [&](const std::vector<double>& tastes, int32_t item) {
      return shop_.chance(tastes, items.expected_tastes(item), 1);
    };
    const auto linear = [&](const std::vector<double>& tastes, int32_t item) { return shop_.chance(tastes, items.linear_tastes(item), 1); };
    const auto expected_of = [&](int32_t c) { return customers.expected_tastes(c); };
    const auto linear_of = [&](int32_t c) { return customers.linear_tastes(c); };
    PlantedFigures out = figures(evaluated, cold.tests, cold.known, expected, expected_of, linear_of);
    out.linear = truth_ndcg(evaluated, cold.tests, cold.known, linear, linear_of);
    return out;
  }

 private:
  using Chance = std::function<double(const std::vector<double>&, int32_t)>;
  using TastesOf = std::function<std::vector<double>(int32_t)>;

  static bool is_cold_customer(int32_t c) { return c % 10 == 0; }
  static bool is_cold_item(int32_t i) { return i % 5 == 0; }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  // C000012 or P000012.
  static int32_t number_of(std::string_view id) { return std::stoi(std::string(id.substr(1))) - 1; }

  void write_events(const std::string& name, const std::function<bool(int32_t, int32_t)>& wanted) {
    std::ofstream out(folder_ / name);
    out << "customer_id,item_id,value\n";
    shop_.for_each_customer([&](std::span<const ShopEvent> life) {
      for (const ShopEvent& e : life)
        if (wanted(e.customer, e.item)) out << shop_.customer_id(e.customer) << "," << shop_.item_id(e.item) << "," << e.value << "\n";
      return true;
    });
  }
  void write_items(const std::string& name, bool cold) {
    std::ofstream out(folder_ / name);
    for (ItemIndex i = 0; i < shop_.settings().items; ++i)
      if (is_cold_item(i) == cold) out << shop_.item_id(i) << "\n";
  }

  void train(const TrainingOptions& options, int32_t epochs) {
    ReadOptions reading;
    reading.event_files = {path("warm.csv")};
    reading.item_files = {path("items.csv")};
    reading.customer_files = {path("customers.csv")};
    reading.attributes = true;
    auto dataset = read_dataset(reading);
    ASSERT_TRUE(dataset.ok()) << dataset.status();
    TrainingRequest request;
    request.options = options;
    request.attributes = UseAttributes::kOn;
    request.content_weight = 0;  // the prior is what is judged
    request.epochs = epochs;
    request.workers = 2;
    const auto progress = make_progress();
    auto outcome = run_training(*dataset, request, *backend_, *progress);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    artifact_ = std::make_unique<Artifact>(std::move(outcome->artifact));
    model_ = backend_->load(artifact_->model).value();
    for (ItemIndex i = 0; i < shop_.settings().items; ++i) appeal_.push_back(shop_.item_plant()->tastes(i));
  }

  EvaluateFlags flags_of(const std::string& test, const std::string& among, std::vector<std::string> customers) const {
    EvaluateFlags flags;
    flags.read.options.event_files = {path(test)};
    flags.among = path(among);
    flags.customers = std::move(customers);
    return flags;
  }

  double ndcg(const Answers& answers, const TestSet& tests, const Knowledge& known) const {
    return mean_metric(answers, 0, kNdcg, tests, known, Repeats::kExclude);
  }

  PlantedFigures figures(const EvaluatedModel& evaluated, const TestSet& tests, const Knowledge& known, const Chance& chance,
                         const TastesOf& expected, const TastesOf& linear) const {
    const AnswerOptions options{.repeats = Repeats::kExclude, .lengths = {kLength}, .workers = 2};
    const auto answers = answers_of_model(*model_, tests, known, options);
    EXPECT_TRUE(answers.ok()) << answers.status();
    return {.model = ndcg(*answers, tests, known),
            .truth = truth_ndcg(evaluated, tests, known, chance, expected),
            .linear = truth_ndcg(evaluated, tests, known, chance, linear),
            .popular = ndcg(most_popular(tests, known, options), tests, known)};
  }

  // Of ranking what may be offered by its chance.
  double truth_ndcg(const EvaluatedModel& evaluated, const TestSet& tests, const Knowledge& known, const Chance& chance,
                    const TastesOf& tastes_of) const {
    Answers answers = empty_answers(tests.size(), {kLength});
    std::vector<std::pair<double, int32_t>> ranked;
    for (int32_t t = 0; t < tests.size(); ++t) {
      const std::vector<double> tastes = tastes_of(number_of(evaluated.customer_id(tests.asked[static_cast<size_t>(t)])));
      ranked.clear();
      for (int32_t row = 0; row < artifact_->item_ids.size(); ++row)
        if (known.may_offer(row)) ranked.emplace_back(-chance(tastes, number_of(artifact_->item_ids.id(row))), row);
      std::partial_sort(ranked.begin(), ranked.begin() + kLength, ranked.end());
      for (size_t r = 0; r < kLength; ++r) answers.rows[0][static_cast<size_t>(t) * kLength + r] = ranked[r].second;
    }
    return ndcg(answers, tests, known);
  }

  std::filesystem::path folder_;
  SyntheticShop shop_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Artifact> artifact_;
  std::shared_ptr<const LoadedModel> model_;
  std::vector<std::vector<double>> appeal_;  // [items] their own
};

inline void print(const char* what, const PlantedFigures& f) {
  std::printf("%s: NDCG@20 %.4f, of the truth's %.4f %.1f %%, of the linear ceiling's %.4f %.1f %%; most popular %.4f\n", what, f.model,
              f.truth, 100 * f.model / f.truth, f.linear, 100 * f.model / f.linear, f.popular);
}

}  // namespace bouquet::training
