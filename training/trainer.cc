#include "training/trainer.h"

#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/errors.h"

namespace bouquet::training {
namespace {

std::string epoch_text(const EpochReport& report, const FitPlan& plan, int64_t pairs, bool selects) {
  std::string out = absl::StrFormat("objective %.6g", report.objective);
  if (selects) out += absl::StrFormat(", %s %.5f", plan.metric, report.select_metric);
  if (report.seconds > 0) out += absl::StrFormat(", %.3g pairs/s", static_cast<double>(pairs) / report.seconds);
  return out;
}

std::string summary(const Fit& fit, const FitPlan& plan, bool selects) {
  const EpochReport& chosen = fit.reports[static_cast<size_t>(fit.epochs) - 1];
  std::string out = absl::StrFormat("%d epochs, objective %.6g", fit.epochs, chosen.objective);
  if (selects) out += absl::StrFormat(", %s %.5f", plan.metric, chosen.select_metric);
  return out;
}

absl::Status check_room_for_judging(const Backend& backend, const JudgingShape& shape) {
  return check_fits(backend.judging_memory(shape), backend.memory_free(), "judging the epochs of a training, beside the training itself,",
                    "A smaller --dimension, fewer events (--where, --since), --validation none or a larger device fits.");
}

}  // namespace

absl::StatusOr<Fit> fit_model(Backend& backend, const Interactions& interactions, const TrainingOptions& options, const FitPlan& plan,
                              const SelectFigure& select, Progress& progress, const FitCheckpoints* checkpoints) {
  progress.begin(plan.stage, plan.max_epochs);
  FitState state;
  Fit& fit = state.fit;
  std::string fingerprint;
  if (checkpoints != nullptr) {
    fingerprint = fingerprint_of(interactions, options, plan, backend.name());
    if (auto kept = checkpoints->find(fingerprint)) state = *std::move(kept);
    if (state.epoch() > 0) progress.note(absl::StrFormat("%s: goes on after epoch %d, which is kept", plan.stage, state.epoch()));
  }
  if (state.finished) {
    progress.end(summary(fit, plan, static_cast<bool>(select)));
    return std::move(fit);
  }
  auto session = backend.start_training(interactions, options);
  if (!session.ok()) return session.status();
  if (absl::Status s = check_room_for_judging(backend, plan.judging); !s.ok()) return s;
  if (state.epoch() > 0)
    if (absl::Status s = (*session)->go_on_from(state.last, state.epoch()); !s.ok()) return s;
  double best = fit.epochs == 0 ? 0 : fit.reports[static_cast<size_t>(fit.epochs) - 1].select_metric;
  for (int32_t epoch = state.epoch() + 1; epoch <= plan.max_epochs; ++epoch) {
    const auto stats = (*session)->run_epoch();
    if (!stats.ok()) return stats.status();
    EpochReport report{.epoch = epoch, .objective = stats->objective, .select_metric = 0, .seconds = stats->seconds};
    const bool last = epoch == plan.max_epochs;
    if (select || last || checkpoints != nullptr) {
      auto model = (*session)->snapshot();
      if (!model.ok()) return model.status();
      if (select) {
        const auto loaded = backend.load(*model);
        if (!loaded.ok()) return loaded.status();
        const auto figure = select(**loaded);
        if (!figure.ok()) return figure.status();
        report.select_metric = *figure;
      }
      if (!select || (epoch >= plan.min_epochs && (fit.epochs == 0 || report.select_metric > best))) {
        best = report.select_metric;
        fit.model = *model;
        fit.epochs = epoch;
      }
      if (checkpoints != nullptr) state.last = *std::move(model);
    }
    fit.reports.push_back(report);
    progress.step(epoch, epoch_text(report, plan, interactions.pair_count(), static_cast<bool>(select)));
    state.finished = last || (select && fit.epochs > 0 && epoch - fit.epochs >= plan.patience);
    if (checkpoints != nullptr)
      if (absl::Status s = checkpoints->keep(fingerprint, state); !s.ok())
        progress.note("a checkpoint could not be kept: " + std::string(message_of(s)));
    if (state.finished) break;
  }
  progress.end(summary(fit, plan, static_cast<bool>(select)));
  return std::move(fit);
}

}  // namespace bouquet::training
