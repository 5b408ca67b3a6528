#include "training/trainer.h"

#include "absl/strings/str_format.h"

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

}  // namespace

absl::StatusOr<Fit> fit_model(Backend& backend, const Interactions& interactions, const TrainingOptions& options, const FitPlan& plan,
                              const SelectFigure& select, Progress& progress) {
  progress.begin(plan.stage, plan.max_epochs);
  auto session = backend.start_training(interactions, options);
  if (!session.ok()) return session.status();
  Fit fit;
  double best = 0;
  for (int32_t epoch = 1; epoch <= plan.max_epochs; ++epoch) {
    const auto stats = (*session)->run_epoch();
    if (!stats.ok()) return stats.status();
    EpochReport report{.epoch = epoch, .objective = stats->objective, .select_metric = 0, .seconds = stats->seconds};
    const bool last = epoch == plan.max_epochs;
    if (select || last) {
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
        fit.model = *std::move(model);
        fit.epochs = epoch;
      }
    }
    fit.reports.push_back(report);
    progress.step(epoch, epoch_text(report, plan, interactions.pair_count(), static_cast<bool>(select)));
    if (select && fit.epochs > 0 && epoch - fit.epochs >= plan.patience) break;
  }
  progress.end(summary(fit, plan, static_cast<bool>(select)));
  return fit;
}

}  // namespace bouquet::training
