#include "bench/fold_in_bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench_options.h"
#include "bench/bench_report.h"
#include "bench/call_times.h"
#include "bench/call_work.h"
#include "bench/fold_in_data.h"
#include "engine/errors.h"
#include "engine/ridge_rule.h"
#include "engine/seconds_since.h"

namespace bouquet::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  BenchOptions common;
  int32_t items = 100000;
  int32_t history = 200;
  std::vector<int32_t> batches = {1, 64, 1024};
  bool cholesky = false;
};

absl::Status validate(const Options& o) {
  if (absl::Status s = validate(o.common, o.batches, 65536); !s.ok()) return s;
  if (o.items < 1) return wrong_usage("--items must be at least 1");
  if (o.history < 1 || o.history > o.items) return wrong_usage("--history must be from 1 to the number of items");
  return absl::OkStatus();
}

// |W p - b| / |b| of the first profile, in double: the result's worth beside its time.
double residual_of_first(const Model& model, const MadeHistories& histories, std::span<const float> p) {
  const auto d = static_cast<size_t>(model.dimension);
  const ModelConstants& c = model.constants;
  const RidgeRule rule{c.unobserved_weight, c.regularization, c.regularization_exponent, c.training_item_count};
  std::vector<double> residual(d), right(d);
  for (size_t i = 0; i < d; ++i) {
    residual[i] = rule.ridge(histories.offsets[1]) * double{p[i]};
    for (size_t j = 0; j < d; ++j)
      residual[i] += c.unobserved_weight * double{model.item_gram[static_cast<int64_t>(i * d + j)]} * double{p[j]};
  }
  for (size_t k = 0; k < static_cast<size_t>(histories.offsets[1]); ++k) {
    const auto q = model.item_matrix().row(histories.items[k]);
    const double weight = histories.confidences[k];
    double score = 0;
    for (size_t j = 0; j < d; ++j) score += double{q[j]} * double{p[j]};
    for (size_t j = 0; j < d; ++j) {
      residual[j] += weight * (score - 1) * double{q[j]};
      right[j] += weight * double{q[j]};
    }
  }
  const auto norm = [](const std::vector<double>& x) {
    double sum = 0;
    for (const double value : x) sum += value * value;
    return std::sqrt(sum);
  };
  return norm(residual) / norm(right);
}

absl::StatusOr<Measured> measure(const Options& o, const Model& model, Profiler& profiler, int32_t batch) {
  const MadeHistories histories(o.items, o.history, batch);
  const auto n = static_cast<size_t>(batch), d = static_cast<size_t>(model.dimension);
  std::vector<float> profiles(n * d), factors(o.cholesky ? n * d * d : 0);
  const HistoryBatch in{histories.offsets, histories.items, histories.confidences, {}};
  const ProfileBatch out{{profiles.data(), batch, model.dimension}, factors};
  const auto solve = [&]() -> absl::StatusOr<CallTime> {
    const auto start = Clock::now();
    if (absl::Status s = profiler.solve(in, out); !s.ok()) return s;
    return CallTime{seconds_since(start), profiler.device_seconds()};
  };
  const auto times = CallTimes::measure(solve, o.common.repeats);
  if (!times.ok()) return times.status();
  const SolveCall call{.rows = static_cast<double>(batch),
                       .pairs = static_cast<double>(histories.items.size()),
                       .dimension = static_cast<double>(model.dimension),
                       .cholesky = o.cholesky};
  const double residual = residual_of_first(model, histories, std::span(profiles).first(d));
  return Measured{model.dimension,
                  batch,
                  *times,
                  work_of(call),
                  {{"relative_residual", residual}, {"us_per_profile", times->wall.median() * 1e6 / batch}}};
}

absl::Status run_at(const Options& o, int32_t dimension, Backend& backend, BenchReport& report) {
  const Model model = make_fold_in_model(o.items, dimension, o.common.seed);
  auto loaded = backend.load(model);
  if (!loaded.ok()) return loaded.status();
  auto profiler = (*loaded)->make_profiler({.max_batch = *std::ranges::max_element(o.batches)});
  if (!profiler.ok()) return profiler.status();
  if (absl::Status timed = time_on_device(**profiler); !timed.ok()) return timed;
  for (const int32_t batch : o.batches) {
    const auto measured = measure(o, model, **profiler, batch);
    if (!measured.ok()) return measured.status();
    report.add(*measured);
  }
  return absl::OkStatus();
}

absl::Status run(const Options& o, const BackendFactory& backends) {
  if (absl::Status s = validate(o); !s.ok()) return s;
  auto backend = open_backend(o.common, backends);
  if (!backend.ok()) return backend.status();
  auto report = BenchReport::begin("fold-in", o.common, **backend, {{"items", o.items}, {"history", o.history}, {"cholesky", o.cholesky}});
  if (!report.ok()) return report.status();
  for (const int32_t dimension : o.common.dimensions)
    if (absl::Status s = run_at(o, dimension, **backend, *report); !s.ok()) return s;
  return report->finish();
}

}  // namespace

void add_fold_in_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<Options>();
  options->common.dimensions = {128};
  CLI::App* command = bench.add_subcommand("fold-in", "Profiles solved from made-up histories, with the residual of the first");
  command->add_option("--items", options->items, "Items of the model")->capture_default_str();
  command->add_option("--history", options->history, "Pairs of each history")->capture_default_str();
  add_batch_options(*command, options->common, options->batches);
  command->add_flag("--cholesky", options->cholesky, "Ask for the Cholesky factors too");
  add_bench_options(*command, options->common);
  command->footer("Example: bouquet bench fold-in --items 100000 --dimension 64,128 --history 200 --batch 1,64,1024 --threads 2");
  command->callback([options, backends, &exit_code] { exit_code = report(run(*options, backends)); });
}

}  // namespace bouquet::bench
