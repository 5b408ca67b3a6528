#include "training/train_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "engine/errors.h"
#include "engine/models_directory.h"
#include "training/evaluation_report.h"
#include "training/event_reader.h"
#include "training/interactions_builder.h"
#include "training/read_flags.h"
#include "training/read_report.h"
#include "training/training_run.h"

namespace bouquet::training {
namespace {

using Json = nlohmann::ordered_json;

// Untuned, with alpha0 by the balance of the data: what did well on sparse and on dense data (docs/evaluation.md).
constexpr TrainingOptions kUntuned{.dimension = 128, .regularization = 0.1, .regularization_exponent = 0.5};

struct TrainFlags {
  ReadFlags read;
  std::vector<std::string> customer_files;
  std::string models;
  BackendChoice backend;
  TrainingOptions options = kUntuned;
  std::string solver = "auto";
  std::string unobserved_weight = "auto";
  std::string validation = "auto";
  std::string select_metric = "ndcg";
  int32_t epochs = 0;
  std::string publish = "always";
  bool dry_run = false;
  bool json = false;
};

enum class Publish { kAlways, kNever };

absl::StatusOr<Publish> parse_publish(const std::string& name) {
  if (name == "always") return Publish::kAlways;
  if (name == "never") return Publish::kNever;
  if (name == "if-better") return absl::UnimplementedError("--publish if-better is not built yet; use always or never");
  return wrong_usage("--publish '" + name + "' is unknown; it takes always, if-better or never");
}

// Everything that can be refused before a file is read.
struct Plan {
  ReadOptions reading;
  TrainingRequest request;
  Publish publish = Publish::kAlways;
  bool validation_by_data = false;  // --validation auto: chosen when the data are known
};

absl::StatusOr<Plan> plan_of(const TrainFlags& flags) {
  Plan plan;
  if (!flags.customer_files.empty()) return absl::UnimplementedError("--customers: attributes of customers are not built yet");
  auto reading = read_options(flags.read);
  if (!reading.ok()) return reading.status();
  plan.reading = *std::move(reading);
  const auto publish = parse_publish(flags.publish);
  if (!publish.ok()) return publish.status();
  plan.publish = *publish;
  if (flags.models.empty() && plan.publish != Publish::kNever && !flags.dry_run)
    return wrong_usage("--models DIR says where to publish; without it use --publish never or --dry-run");
  const auto solver = parse_solver(flags.solver);
  if (!solver.ok()) return solver.status();
  plan.request.options = flags.options;
  plan.request.options.solver = *solver;
  plan.request.balance_unobserved = flags.unobserved_weight == "auto";
  if (!plan.request.balance_unobserved && !absl::SimpleAtod(flags.unobserved_weight, &plan.request.options.unobserved_weight))
    return wrong_usage("--unobserved-weight '" + flags.unobserved_weight + "' is not a number; it takes one of 0 or more, or auto");
  if (absl::Status status = validate(plan.request.options); !status.ok()) return status;
  if (flags.epochs < 0 || flags.epochs > 1000)
    return wrong_usage("--epochs is " + std::to_string(flags.epochs) + "; it must be from 1 to 1000, or 0 for the default");
  plan.request.epochs = flags.epochs;
  if (flags.select_metric != "ndcg" && flags.select_metric != "recall")
    return wrong_usage("--select-metric '" + flags.select_metric + "' is unknown; it takes ndcg or recall");
  plan.request.select_metric = flags.select_metric == "recall" ? SelectMetric::kRecall : SelectMetric::kNdcg;
  plan.validation_by_data = flags.validation == "auto";
  if (!plan.validation_by_data) {
    const auto validation = parse_validation(flags.validation);
    if (!validation.ok()) return validation.status();
    plan.request.validation = *validation;
  }
  const auto threads = static_cast<int32_t>(std::max(1u, std::thread::hardware_concurrency()));
  plan.request.workers = flags.backend.threads > 0 ? flags.backend.threads : threads;
  return plan;
}

Json reading_json(const ReadReport& r) {
  return {{"rows", r.rows},
          {"events", r.events},
          {"anonymous", r.anonymous},
          {"returns", r.returns},
          {"zero_values", r.zero_values},
          {"dropped_customers", r.dropped_customers},
          {"filtered", r.filtered},
          {"repeated", r.repeated},
          {"bad_rows", r.bad_rows},
          {"suspected_robots", r.suspected_robot_count},
          {"seconds", r.seconds}};
}

// What --dry-run answers: the parts, and what a fit on everything would be made of.
absl::Status describe(const Plan& plan, const Dataset& dataset, const Backend& backend, bool json) {
  const auto split = split_events(dataset.events, plan.request.validation, plan.request.options.seed);
  if (!split.ok()) return split.status();
  const auto set = build_training_set(dataset, {});
  if (!set.ok()) return set.status();
  const int32_t customers = set->interactions.customer_count(), items = set->interactions.item_count();
  const int64_t factor_bytes = (int64_t{customers} + items) * plan.request.options.dimension * int64_t{sizeof(float)};
  if (json) {
    const Json out{{"dry_run", true},
                   {"read", reading_json(dataset.report)},
                   {"validation", to_string(plan.request.validation)},
                   {"events", {{"fit", split->count(kFit)}, {"select", split->count(kSelect)}, {"judge", split->count(kJudge)}}},
                   {"customers", customers},
                   {"items", items},
                   {"pairs", set->interactions.pair_count()},
                   {"dimension", plan.request.options.dimension},
                   {"factor_bytes", factor_bytes},
                   {"backend", backend.description()}};
    std::printf("%s\n", out.dump(2).c_str());
    return absl::OkStatus();
  }
  std::fputs(read_report_text(dataset).c_str(), stdout);
  std::printf("would train on %d customers, %d items, %lld distinct pairs with d = %d (%.1f MB of factors) on %s\n", customers, items,
              static_cast<long long>(set->interactions.pair_count()), plan.request.options.dimension,
              static_cast<double>(factor_bytes) / 1e6, backend.description().c_str());
  std::printf("validation %s: %lld events to fit, %lld to select, %lld to judge\n", to_string(plan.request.validation).c_str(),
              static_cast<long long>(split->count(kFit)), static_cast<long long>(split->count(kSelect)),
              static_cast<long long>(split->count(kJudge)));
  std::printf("nothing was trained or published (--dry-run)\n");
  return absl::OkStatus();
}

Json outcome_json(const TrainingOutcome& outcome, const Dataset& dataset, const std::string& version, double seconds) {
  const Artifact& a = outcome.artifact;
  Json epochs = Json::array();
  for (const EpochReport& e : outcome.epochs)
    epochs.push_back({{"epoch", e.epoch}, {"objective", e.objective}, {"select_metric", e.select_metric}, {"seconds", e.seconds}});
  Json evaluations = Json::array();
  for (const Evaluation& evaluation : outcome.evaluations) evaluations.push_back(evaluation_json(evaluation));
  return {{"version", version.empty() ? Json() : Json(version)},
          {"read", reading_json(dataset.report)},
          {"customers", a.customer_ids.size()},
          {"items", a.item_ids.size()},
          {"pairs", a.histories.items.size()},
          {"epochs", a.recipe.epochs},
          {"validation", a.recipe.validation},
          {"fit", std::move(epochs)},
          {"repurchase", {{"half_life_days", a.rules.repurchase_half_life_days}, {"share", a.repurchase.share}}},
          {"evaluations", std::move(evaluations)},
          {"backend", a.recipe.backend},
          {"seconds", seconds}};
}

void print_outcome(const TrainingOutcome& outcome, const std::string& models, const std::string& version, double seconds) {
  const Artifact& a = outcome.artifact;
  if (!outcome.evaluations.empty())
    std::printf("Judged once on the part that nothing was chosen on (--validation %s), before the refit on everything:\n",
                a.recipe.validation.c_str());
  for (const Evaluation& evaluation : outcome.evaluations) std::printf("\n%s", evaluation_table(evaluation, 20).c_str());
  std::printf("%s%d customers, %d items, %lld pairs, d = %d, %d epochs, in %s\n", outcome.evaluations.empty() ? "" : "\n",
              a.customer_ids.size(), a.item_ids.size(), static_cast<long long>(a.histories.items.size()), a.model.dimension,
              a.recipe.epochs, duration_text(seconds).c_str());
  if (version.empty())
    std::printf("not published (--publish never)\n");
  else
    std::printf("published %s in %s; it is the current model\n", version.c_str(), models.c_str());
}

absl::Status run(const TrainFlags& flags, const BackendFactory& backends) {
  const auto begun = Clock::now();
  auto plan = plan_of(flags);
  if (!plan.ok()) return plan.status();
  const auto backend = backends(flags.backend);
  if (!backend.ok()) return backend.status();
  auto dataset = read_dataset(plan->reading);
  if (!dataset.ok()) return dataset.status();
  if (plan->validation_by_data)
    plan->request.validation = {dataset->events.has_times() ? ValidationKind::kLastFraction : ValidationKind::kRandom, 0.1};
  if (flags.dry_run) return describe(*plan, *dataset, **backend, flags.json);

  const auto progress = make_progress();
  std::string reading = read_report_text(*dataset);
  if (!reading.empty() && reading.back() == '\n') reading.pop_back();
  progress->note(reading);
  // Found out now rather than after hours of training.
  absl::StatusOr<ModelsDirectory> directory = absl::UnknownError("not asked for");
  if (plan->publish == Publish::kAlways) {
    directory = ModelsDirectory::open(flags.models);
    if (!directory.ok()) return directory.status();
  }
  auto outcome = run_training(*dataset, plan->request, **backend, *progress);
  if (!outcome.ok()) return outcome.status();
  outcome->artifact.recipe.distinct = plan->reading.distinct;
  outcome->artifact.recipe.program_version = BOUQUET_VERSION;
  std::string version;
  if (plan->publish == Publish::kAlways) {
    auto published = directory->publish(outcome->artifact, true);
    if (!published.ok()) return published.status();
    version = *std::move(published);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  if (flags.json)
    std::printf("%s\n", outcome_json(*outcome, *dataset, version, seconds).dump(2).c_str());
  else
    print_outcome(*outcome, flags.models, version, seconds);
  return absl::OkStatus();
}

void add_learning_flags(CLI::App& command, TrainFlags& flags) {
  TrainingOptions& o = flags.options;
  command.add_option("--dimension", o.dimension, "Numbers in a profile (d)")->capture_default_str()->group("Learning");
  command
      .add_option("--epochs", flags.epochs,
                  absl::StrFormat("With a validation at most so many, else exactly; 0: %d and %d", kMaxEpochs, kFixedEpochs))
      ->capture_default_str()
      ->group("Learning");
  command.add_option("--solver", flags.solver, "auto or exact")->capture_default_str()->group("Learning");
  command
      .add_option("--unobserved-weight", flags.unobserved_weight,
                  "Weight of what did not happen (alpha0); auto: by the density of the data")
      ->capture_default_str()
      ->group("Learning");
  command.add_option("--regularization", o.regularization, "lambda")->capture_default_str()->group("Learning");
  command.add_option("--regularization-exponent", o.regularization_exponent, "nu: how regularization grows with a row's events")
      ->capture_default_str()
      ->group("Learning");
  command.add_option("--seed", o.seed, "Of the first factors and of random splits")->capture_default_str()->group("Learning");
  command
      .add_option(
          "--validation", flags.validation,
          "none, last-days:N, last-fraction:F, last-event, last-basket or random:F; auto: last-fraction:0.1, without times random:0.1")
      ->capture_default_str()
      ->group("Learning");
  command.add_option("--select-metric", flags.select_metric, "ndcg or recall: of 20 new items, what the epochs are chosen by")
      ->capture_default_str()
      ->group("Learning");
}

}  // namespace

void add_train_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  auto flags = std::make_shared<TrainFlags>();
  CLI::App* command = app.add_subcommand("train", "Learn a model from event files and publish it");
  command->footer(
      "Examples:\n"
      "  bouquet train --events orders.csv --models models\n"
      "  bouquet train --events 'orders-*.parquet' --items products.parquet --models models\n"
      "      --columns 'customer=household_id,item=product_id,value=quantity,time=transaction_timestamp,basket=basket_id'\n"
      "      --validation last-days:28");
  command->add_option("--models", flags->models, "Where to publish; created if need be")->type_name("DIR");
  command->add_option("--customers", flags->customer_files, "Attributes of customers (not built yet)")->type_name("FILE");
  add_read_flags(*command, flags->read);
  add_learning_flags(*command, *flags);
  command->add_option("--backend", flags->backend.name, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--threads", flags->backend.threads, "Of the cpu backend; 0: as many as the machine has")->capture_default_str();
  command->add_option("--publish", flags->publish, "always; never: train and judge alone")->capture_default_str();
  command->add_flag("--dry-run", flags->dry_run, "Read, and say what would be done");
  command->add_flag("--json", flags->json, "Print one JSON document");
  command->callback([flags, backends, &exit_code] { exit_code = report(run(*flags, backends)); });
}

}  // namespace bouquet::training
