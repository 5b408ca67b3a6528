#include "bench/train_bench.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bench/bench_matrix.h"
#include "engine/errors.h"

namespace bouquet::bench {
namespace {

const std::map<std::string, MatrixShape> kPresets = {
    {"ml20m", {138493, 26744, 18100000}},  // the size of MovieLens-20M after the cut at 0.5 stars
    {"gowalla", {29858, 40981, 810128}},
    {"small", {2000, 1000, 50000}},
};

struct Settings {
  std::string matrix;
  std::string preset = "small";
  MatrixShape shape;
  BackendChoice backend;
  TrainingOptions training;
  int epochs = 5;
  float confidence = 9;
  float target = 1;
  bool json = false;
};

struct Measured {
  std::vector<double> seconds;
  std::vector<double> objectives;
};

absl::StatusOr<Interactions> interactions_of(const Settings& settings) {
  MatrixShape shape = kPresets.at(settings.preset);
  if (settings.shape.customers > 0) shape.customers = settings.shape.customers;
  if (settings.shape.items > 0) shape.items = settings.shape.items;
  if (settings.shape.pairs > 0) shape.pairs = settings.shape.pairs;
  auto rows = settings.matrix.empty() ? made_up_matrix(shape, settings.training.seed) : read_matrix(settings.matrix);
  if (!rows.ok()) return rows.status();
  std::ranges::fill(rows->confidences, settings.confidence);
  if (settings.target != 1) rows->targets.assign(rows->columns.size(), settings.target);
  return Interactions::from_customers(*std::move(rows));
}

absl::StatusOr<Measured> measure(TrainingSession& session, int epochs) {
  Measured measured;
  for (int e = 0; e < epochs; ++e) {
    auto stats = session.run_epoch();
    if (!stats.ok()) return stats.status();
    std::fprintf(stderr, "epoch %d: %.3f s, objective %.10g\n", stats->epoch, stats->seconds, stats->objective);
    measured.seconds.push_back(stats->seconds);
    measured.objectives.push_back(stats->objective);
  }
  return measured;
}

// What an epoch of direct systems costs: a rate is this over the seconds, whatever a backend saves by solving short rows otherwise.
double direct_flops(const Interactions& interactions, double d) {
  const double rows = static_cast<double>(interactions.customer_count()) + interactions.item_count();
  return 2 * static_cast<double>(interactions.pair_count()) * d * d + rows * d * d * d / 3;
}

nlohmann::ordered_json report_of(const Settings& settings, const Backend& backend, const Interactions& interactions,
                                 const Measured& measured) {
  std::vector<double> sorted = measured.seconds;
  std::ranges::sort(sorted);
  const char* core_type = std::getenv("OPENBLAS_CORETYPE");
  return {{"benchmark", "train"},
          {"backend", backend.description()},
          {"openblas_coretype", core_type == nullptr ? nlohmann::ordered_json() : nlohmann::ordered_json(core_type)},
          {"customers", interactions.customer_count()},
          {"items", interactions.item_count()},
          {"pairs", interactions.pair_count()},
          {"dimension", settings.training.dimension},
          {"unobserved_weight", settings.training.unobserved_weight},
          {"regularization", settings.training.regularization},
          {"regularization_exponent", settings.training.regularization_exponent},
          {"confidence", settings.confidence},
          {"target", settings.target},
          {"seed", settings.training.seed},
          {"epoch_seconds",
           {{"median", sorted[sorted.size() / 2]}, {"low", sorted.front()}, {"high", sorted.back()}, {"all", measured.seconds}}},
          {"direct_flops", direct_flops(interactions, settings.training.dimension)},
          {"gathered_bytes", 2.0 * static_cast<double>(interactions.pair_count()) * settings.training.dimension * sizeof(float)},
          {"objectives", measured.objectives}};
}

void print(const nlohmann::ordered_json& report) {
  const auto& seconds = report["epoch_seconds"];
  std::printf("backend    %s\n", report["backend"].get<std::string>().c_str());
  if (!report["openblas_coretype"].is_null()) std::printf("OPENBLAS_CORETYPE %s\n", report["openblas_coretype"].get<std::string>().c_str());
  std::printf("matrix     %d customers x %d items, %lld pairs\n", report["customers"].get<int>(), report["items"].get<int>(),
              report["pairs"].get<long long>());
  std::printf("epoch      median %.4f s, from %.4f to %.4f, of %zu at d = %d\n", seconds["median"].get<double>(),
              seconds["low"].get<double>(), seconds["high"].get<double>(), seconds["all"].size(), report["dimension"].get<int>());
  std::printf("rate       %.1f GFLOP/s of direct systems, %.1f GB/s gathered\n",
              report["direct_flops"].get<double>() / seconds["median"].get<double>() * 1e-9,
              report["gathered_bytes"].get<double>() / seconds["median"].get<double>() * 1e-9);
  std::printf("objective  %.10g\n", report["objectives"].back().get<double>());
}

absl::Status run(const Settings& settings, const BackendFactory& backends) {
  auto interactions = interactions_of(settings);
  if (!interactions.ok()) return interactions.status();
  auto backend = backends(settings.backend);
  if (!backend.ok()) return backend.status();
  auto session = (*backend)->start_training(*interactions, settings.training);
  if (!session.ok()) return session.status();
  auto measured = measure(**session, settings.epochs);
  if (!measured.ok()) return measured.status();
  const auto report = report_of(settings, **backend, *interactions, *measured);
  if (settings.json)
    std::printf("%s\n", report.dump(2).c_str());
  else
    print(report);
  return absl::OkStatus();
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
  CLI::App* command = bench.add_subcommand("train", "Seconds per epoch of training, and the objective");
  command->add_option("--matrix", settings->matrix, "A matrix file (bench/bench_matrix.h); otherwise one is made up");
  command->add_option("--preset", settings->preset, "The size of the made-up matrix")
      ->check(CLI::IsMember(preset_names()))
      ->capture_default_str();
  command->add_option("--customers", settings->shape.customers, "Customers, instead of the preset's");
  command->add_option("--items", settings->shape.items, "Items, instead of the preset's");
  command->add_option("--pairs", settings->shape.pairs, "Pairs, instead of the preset's");
  command->add_option("--dimension", training.dimension, "d, 1 to 1024")->capture_default_str();
  command->add_option("--epochs", settings->epochs, "Epochs to run")->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--backend", settings->backend.name, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--device", settings->backend.device, "Which GPU of the cuda backend, from 0")->capture_default_str();
  command->add_option("--threads", settings->backend.threads, "Threads of the cpu backend, 0 for all")->capture_default_str();
  command->add_option("--seed", training.seed, "Of the start and the made-up matrix")->capture_default_str();
  command->add_option("--unobserved-weight", training.unobserved_weight, "alpha0")->capture_default_str();
  command->add_option("--regularization", training.regularization, "lambda")->capture_default_str();
  command->add_option("--regularization-exponent", training.regularization_exponent, "nu")->capture_default_str();
  command->add_option("--confidence", settings->confidence, "c of every pair")->capture_default_str();
  command->add_option("--target", settings->target, "r of every pair")->capture_default_str();
  command->add_flag("--json", settings->json, "One JSON document on stdout");
  command->footer("Example:\n  bouquet bench train --preset ml20m --dimension 128 --epochs 3 --threads 2 --json > train.json");
  command->callback([settings, backends, &exit_code] { exit_code = report(run(*settings, backends)); });
}

}  // namespace bouquet::bench
