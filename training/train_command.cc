#include "training/train_command.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "engine/errors.h"
#include "engine/models_directory.h"
#include "engine/seconds_since.h"
#include "training/erased_customers.h"
#include "training/fit_checkpoints.h"
#include "training/read_report.h"
#include "training/train_plan.h"
#include "training/train_report.h"

namespace bouquet::training {
namespace {

// Who was erased during the training must not be in what is published.
absl::Status look_again(const TrainFlags& flags, const EventSourceFactory& stores, const Dataset& dataset, Artifact& artifact,
                        Progress& progress) {
  if (flags.store.empty()) return absl::OkStatus();
  const auto store = stores(flags.store);
  if (!store.ok()) return store.status();
  const auto gone = empty_rows_erased_since(**store, dataset.store.sequence, artifact);
  if (!gone.ok()) return gone.status();
  if (*gone > 0)
    progress.note(std::to_string(*gone) +
                  " of the customers have been erased, or are not one person any more: the model has nothing of them");
  return absl::OkStatus();
}

absl::Status run(const TrainFlags& flags, const BackendFactory& backends, const EventSourceFactory& stores) {
  const auto begun = Clock::now();
  auto plan = plan_of(flags);
  if (!plan.ok()) return plan.status();
  if (!flags.store.empty()) {
    auto store = stores(flags.store);
    if (!store.ok()) return store.status();
    plan->reading.store = *std::move(store);
  }
  BackendChoice choice = flags.backend;
  choice.planning = flags.dry_run;
  const auto backend = backends(choice);
  if (!backend.ok()) return backend.status();
  auto dataset = read_dataset(plan->reading);
  if (!dataset.ok()) return dataset.status();
  if (plan->validation_by_data)
    plan->request.validation = {dataset->events.has_times() ? ValidationKind::kLastFraction : ValidationKind::kRandom, 0.1};
  if (flags.dry_run) return print_dry_run(*plan, *dataset, **backend, flags.json);

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
  std::optional<FitCheckpoints> checkpoints;
  if (!flags.checkpoints.empty()) {
    auto opened = FitCheckpoints::open(flags.checkpoints);
    if (!opened.ok()) return opened.status();
    checkpoints = *std::move(opened);
  }
  auto outcome = run_training(*dataset, plan->request, **backend, *progress, checkpoints ? &*checkpoints : nullptr);
  if (!outcome.ok()) return outcome.status();
  outcome->artifact.recipe.distinct = plan->reading.distinct;
  outcome->artifact.recipe.program_version = BOUQUET_VERSION;
  std::string version;
  if (plan->publish == Publish::kAlways) {
    if (absl::Status s = look_again(flags, stores, *dataset, outcome->artifact, *progress); !s.ok()) return s;
    auto published = directory->publish(outcome->artifact, true);
    if (!published.ok()) return published.status();
    version = *std::move(published);
  }
  if (checkpoints) checkpoints->remove_all();
  const double seconds = seconds_since(begun);
  if (flags.json)
    print_outcome_json(*outcome, *dataset, version, seconds);
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
  command
      .add_option("--attributes", flags.attributes,
                  "Of --customers, --store and item files' other columns: on, off, or auto: if the select part says that they help")
      ->capture_default_str()
      ->group("Learning");
  command
      .add_option(
          "--customer-attribute-regularization", flags.customer_attribute_regularization,
          "lambda_A: how strongly the effects of customer attributes are held down; auto: chosen on the select part, which takes up to "
          "four fits of it instead of one")
      ->capture_default_str()
      ->group("Learning");
  command
      .add_option("--item-attribute-regularization", flags.item_attribute_regularization, "lambda_B: the same for item attributes, or auto")
      ->capture_default_str()
      ->group("Learning");
  command.add_option("--attribute-warmup", o.attribute_warmup, "Epochs without attributes at the start")
      ->capture_default_str()
      ->group("Learning");
  command.add_option("--attribute-period", o.attribute_period, "After these, fit attributes every so many epochs")
      ->capture_default_str()
      ->group("Learning");
  command
      .add_option("--attribute-relevance", flags.attribute_relevance,
                  "Whether each attribute is held down to the share of what it says that is more than chance: on or off")
      ->capture_default_str()
      ->group("Learning");
  command
      .add_option("--content-weight", flags.content_weight,
                  "Of likeness to the history beside the profile, for items that nobody has taken yet; 0: the profile alone")
      ->capture_default_str()
      ->group("Learning");
  command
      .add_option("--empty-history-share", flags.empty_history_share,
                  "Of alpha0, what counts for customers of whom nothing but attributes is known: 0 to 1; auto: chosen on the select part, "
                  "or 0")
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

void add_train_command(CLI::App& app, const BackendFactory& backends, const EventSourceFactory& stores, int& exit_code) {
  auto flags = std::make_shared<TrainFlags>();
  CLI::App* command = app.add_subcommand("train", "Learn a model from events and publish it");
  command->footer(
      "Examples:\n"
      "  bouquet train --events orders.csv --models models\n"
      "  bouquet train --store store --items products.parquet --models models\n"
      "  bouquet train --events 'orders-*.parquet' --items products.parquet --models models\n"
      "      --columns 'customer=household_id,item=product_id,value=quantity,time=transaction_timestamp,basket=basket_id'\n"
      "      --validation last-days:28");
  command->add_option("--models", flags->models, "Where to publish; created if need be")->type_name("DIR");
  command->add_option("--customers", flags->customer_files, "Attribute files of customers: customer_id, and a column per attribute")
      ->type_name("FILE");
  command
      ->add_option("--config", flags->config,
                   "Read settings, [events.<type>] and [attributes...] tables from this TOML file (see bouquet config)")
      ->type_name("FILE");
  add_read_flags(*command, flags->read);
  command->get_option("--events")->required(false);
  command
      ->add_option("--store", flags->store,
                   "Read the events and attributes that a server has recorded in this folder, besides files or alone; the server may go on "
                   "meanwhile")
      ->type_name("DIR")
      ->group("Reading");
  add_learning_flags(*command, *flags);
  command->add_option("--backend", flags->backend.name, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--device", flags->backend.device, "Which GPU of the cuda backend, from 0")->capture_default_str();
  command->add_option("--threads", flags->backend.threads, "Of the cpu backend; 0: as many as the machine has")->capture_default_str();
  command->add_option("--publish", flags->publish, "always; never: train and judge alone")->capture_default_str();
  command
      ->add_option(
          "--checkpoints", flags->checkpoints,
          "Keep here what the training has come to after each epoch; the same command goes on from it after it was killed, with the "
          "same result. Emptied when the training has succeeded")
      ->type_name("DIR");
  command->add_flag("--dry-run", flags->dry_run, "Read, and say what would be done");
  command->add_flag("--json", flags->json, "Print one JSON document");
  command->callback([flags, backends, stores, &exit_code] { exit_code = report(run(*flags, backends, stores)); });
}

}  // namespace bouquet::training
