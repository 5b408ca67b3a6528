#include "bench/train_bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/bench_matrix.h"
#include "bench/bench_options.h"
#include "bench/bench_report.h"
#include "bench/call_work.h"
#include "bench/machine.h"
#include "bench/made_up_attributes.h"
#include "engine/errors.h"

namespace bouquet::bench {
namespace {

using Json = nlohmann::ordered_json;

const std::map<std::string, MatrixShape> kPresets = {
    {"ml20m", {138493, 26744, 18100000}},  // the size of MovieLens-20M after the cut at 0.5 stars
    {"gowalla", {29858, 40981, 810128}},
    {"small", {2000, 1000, 50000}},
};

struct Settings {
  BenchOptions common;
  std::string matrix;
  std::string preset = "small";
  MatrixShape shape;
  AttributeShape attributes;  // of customers
  TrainingOptions training;
  float confidence = 9;
  float target = 1;
};

absl::StatusOr<Interactions> interactions_of(const Settings& settings) {
  MatrixShape shape = kPresets.at(settings.preset);
  if (settings.shape.customers > 0) shape.customers = settings.shape.customers;
  if (settings.shape.items > 0) shape.items = settings.shape.items;
  if (settings.shape.pairs > 0) shape.pairs = settings.shape.pairs;
  auto rows = settings.matrix.empty() ? made_up_matrix(shape, settings.common.seed) : read_matrix(settings.matrix);
  if (!rows.ok()) return rows.status();
  std::ranges::fill(rows->confidences, settings.confidence);
  if (settings.target != 1) rows->targets.assign(rows->columns.size(), settings.target);
  auto attributes = made_up_attributes(rows->row_count(), settings.attributes, settings.common.seed);
  if (!attributes.ok()) return attributes.status();
  Interactions interactions = Interactions::from_customers(*std::move(rows));
  interactions.customer_attributes = *std::move(attributes);
  return interactions;
}

// `seconds` of every epoch's attribute step: the first epoch has none, the second makes the Gram matrix and its factors too.
Json attribute_report(const Settings& settings, const std::vector<double>& seconds, const Interactions& interactions, int32_t dimension,
                      const std::optional<Roofline>& roofline) {
  if (settings.attributes.empty() || seconds.size() < 3) return {};
  const double step = Spread({seconds.begin() + 2, seconds.end()}).median();
  const CallWork work = work_of(AttributeStepCall{.rows = static_cast<double>(interactions.customer_count()),
                                                  .dense = static_cast<double>(settings.attributes.dense),
                                                  .sparse = static_cast<double>(settings.attributes.sparse),
                                                  .set = static_cast<double>(settings.attributes.set),
                                                  .dimension = static_cast<double>(dimension)});
  std::fprintf(stderr, "attribute step: %.3f s, its Gram matrix and factors %.3f s\n", step, seconds[1] - step);
  return {{"step_seconds", step},
          {"gram_seconds", seconds[1] - step},
          {"bytes", work.bytes},
          {"flops", work.flops},
          {"least_seconds", roofline ? Json(least_seconds(work, *roofline)) : Json()},
          {"peak_bytes", peak_bytes()}};
}

// Epochs from one start: those of the warm-up first. What the row holds of every epoch holds theirs too.
absl::StatusOr<Measured> measure(const Settings& settings, int32_t dimension, const Interactions& interactions, Backend& backend,
                                 const std::optional<Roofline>& roofline) {
  TrainingOptions training = settings.training;
  training.dimension = dimension;
  training.seed = settings.common.seed;
  training.attribute_warmup = 1;
  auto session = backend.start_training(interactions, training);
  if (!session.ok()) return session.status();
  if (absl::Status timed = time_on_device(**session); !timed.ok()) return timed;
  std::vector<double> objectives, seconds, attribute_seconds;
  const auto epoch = [&]() -> absl::StatusOr<CallTime> {
    auto stats = (*session)->run_epoch();
    if (!stats.ok()) return stats.status();
    std::fprintf(stderr, "epoch %d: %.3f s, objective %.10g\n", stats->epoch, stats->seconds, stats->objective);
    objectives.push_back(stats->objective);
    seconds.push_back(stats->seconds);
    attribute_seconds.push_back(stats->attribute_seconds);
    return CallTime{stats->seconds, (*session)->device_seconds()};
  };
  auto times = CallTimes::measure(epoch, settings.common.repeats);
  if (!times.ok()) return times.status();
  const EpochCall call{.customers = static_cast<double>(interactions.customer_count()),
                       .items = static_cast<double>(interactions.item_count()),
                       .pairs = static_cast<double>(interactions.pair_count()),
                       .dimension = static_cast<double>(dimension)};
  return Measured{dimension,
                  0,
                  *std::move(times),
                  work_of(call),
                  {{"objective", objectives.back()},
                   {"objectives", objectives},
                   {"epoch_seconds", seconds},
                   {"attributes", attribute_report(settings, attribute_seconds, interactions, dimension, roofline)}}};
}

Json settings_of(const Settings& settings, const Interactions& interactions) {
  const char* core_type = std::getenv("OPENBLAS_CORETYPE");
  return {{"customers", interactions.customer_count()},
          {"items", interactions.item_count()},
          {"pairs", interactions.pair_count()},
          {"attributes",
           settings.attributes.empty()
               ? Json()
               : Json{{"dense", settings.attributes.dense}, {"sparse", settings.attributes.sparse}, {"set", settings.attributes.set}}},
          {"unobserved_weight", settings.training.unobserved_weight},
          {"regularization", settings.training.regularization},
          {"regularization_exponent", settings.training.regularization_exponent},
          {"confidence", settings.confidence},
          {"target", settings.target},
          {"openblas_coretype", core_type == nullptr ? Json() : Json(core_type)}};
}

absl::Status run(const Settings& settings, const BackendFactory& backends) {
  if (absl::Status s = validate(settings.common, {}, 0); !s.ok()) return s;
  auto interactions = interactions_of(settings);
  if (!interactions.ok()) return interactions.status();
  auto backend = open_backend(settings.common, backends);
  if (!backend.ok()) return backend.status();
  auto report = BenchReport::begin("train", settings.common, **backend, settings_of(settings, *interactions));
  if (!report.ok()) return report.status();
  for (const int32_t dimension : settings.common.dimensions) {
    const auto measured = measure(settings, dimension, *interactions, **backend, report->roofline());
    if (!measured.ok()) return measured.status();
    report->add(*measured);
  }
  return report->finish();
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& [name, shape] : kPresets) names.push_back(name);
  return names;
}

}  // namespace

void add_train_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  TrainingOptions& training = settings->training;
  BenchOptions& common = settings->common;
  common.dimensions = {128};
  common.repeats = {.warm_up = 1, .repetitions = 5};
  CLI::App* command = bench.add_subcommand("train", "Seconds per epoch of training, and the objective after the last");
  command->add_option("--matrix", settings->matrix, "A matrix file (bench/bench_matrix.h); otherwise one is made up");
  command->add_option("--preset", settings->preset, "The size of the made-up matrix")
      ->check(CLI::IsMember(preset_names()))
      ->capture_default_str();
  command->add_option("--customers", settings->shape.customers, "Customers, instead of the preset's");
  command->add_option("--items", settings->shape.items, "Items, instead of the preset's");
  command->add_option("--pairs", settings->shape.pairs, "Pairs, instead of the preset's");
  command->add_option("--epochs", common.repeats.repetitions, "Timed epochs")->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--dense-attributes", settings->attributes.dense, "Columns of numbers that customers have");
  command->add_option("--sparse-attributes", settings->attributes.sparse, "Columns of categories that customers have");
  command->add_option("--set-attributes", settings->attributes.set, "How many of these each customer has");
  add_bench_options(*command, common);
  command->add_option("--unobserved-weight", training.unobserved_weight, "alpha0")->capture_default_str();
  command->add_option("--regularization", training.regularization, "lambda")->capture_default_str();
  command->add_option("--regularization-exponent", training.regularization_exponent, "nu")->capture_default_str();
  command->add_option("--confidence", settings->confidence, "c of every pair")->capture_default_str();
  command->add_option("--target", settings->target, "r of every pair")->capture_default_str();
  command->footer("Example:\n  bouquet bench train --preset ml20m --dimension 64,128 --epochs 3 --threads 2 --json > train.json");
  command->callback([settings, backends, &exit_code] { exit_code = report(run(*settings, backends)); });
}

}  // namespace bouquet::bench
