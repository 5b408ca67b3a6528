#include "bench/explain_bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "bench/bench_options.h"
#include "bench/bench_report.h"
#include "bench/call_times.h"
#include "bench/call_work.h"
#include "bench/fold_in_data.h"
#include "engine/errors.h"
#include "engine/explanation.h"
#include "engine/random_stream.h"

namespace bouquet::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  BenchOptions common;
  int32_t items = 20000;
  int32_t history = 200;
  int32_t attributes = 0;
  int32_t offered = 10;
};

absl::Status validate(const Options& o) {
  if (absl::Status s = validate(o.common, {1}, 1); !s.ok()) return s;
  if (o.items < 1) return wrong_usage("--items must be at least 1");
  if (o.history < 1 || o.history > o.items) return wrong_usage("--history must be from 1 to the number of items");
  if (o.attributes < 0 || o.attributes > kMaxDenseAttributeColumns)
    return wrong_usage("--attributes must be from 0 to " + std::to_string(kMaxDenseAttributeColumns));
  if (o.offered < 1 || o.offered > o.items) return wrong_usage("--offered must be from 1 to the number of items");
  return absl::OkStatus();
}

std::vector<float> random_numbers(size_t count, uint64_t seed) {
  RandomStream random(seed, 1);
  std::vector<float> out(count);
  for (float& x : out) x = static_cast<float>(0.1 * random.normal());
  return out;
}

// One customer with every attribute set, solved and explained from the beginning: what an answer with `explain` does after it has ranked.
class Explained {
 public:
  Explained(const Options& o, int32_t dimension)
      : histories_(o.items, o.history, 1),
        model_(make_fold_in_model(o.items, dimension, o.common.seed)),
        attributes_(o.attributes, o.attributes),
        profile_(static_cast<size_t>(dimension)),
        cholesky_(profile_.size() * profile_.size()),
        offered_(static_cast<size_t>(o.offered)) {
    std::iota(offered_.begin(), offered_.end(), 0);
    if (o.attributes == 0) return;
    model_.customer_prior = {o.attributes, random_numbers((static_cast<size_t>(o.attributes) + 1) * profile_.size(), o.common.seed)};
    attributes_.append(random_numbers(static_cast<size_t>(o.attributes), o.common.seed + 1), {}, {});
  }

  const Model& model() const { return model_; }

  absl::StatusOr<CallTime> run(Profiler& profiler) {
    const auto start = Clock::now();
    const AttributeRows attributes = model_.customer_prior.map.empty() ? AttributeRows{} : attributes_.rows();
    const HistoryBatch history{histories_.offsets, histories_.items, histories_.confidences, {}, attributes};
    if (absl::Status s = profiler.solve(history, {{profile_.data(), 1, model_.dimension}, cholesky_}); !s.ok()) return s;
    const auto solved = Clock::now();
    const SolvedCustomer customer{histories_.items, histories_.confidences, {}, attributes, profile_, cholesky_};
    rest_ = 0;
    for (const Explanation& e : explain(model_, customer, offered_)) rest_ = std::max(rest_, std::abs(e.rest));
    const auto end = Clock::now();
    solve_seconds_.push_back(std::chrono::duration<double>(solved - start).count());
    return CallTime{std::chrono::duration<double>(end - start).count()};
  }

  double solve_ms() const { return Spread(solve_seconds_).median() * 1e3; }
  double rest() const { return rest_; }

 private:
  MadeHistories histories_;
  Model model_;
  GrowingAttributes attributes_;
  std::vector<float> profile_, cholesky_;
  std::vector<int32_t> offered_;
  std::vector<double> solve_seconds_;
  double rest_ = 0;
};

absl::Status run_at(const Options& o, int32_t dimension, Backend& backend, BenchReport& report) {
  Explained explained(o, dimension);
  auto loaded = backend.load(explained.model());
  if (!loaded.ok()) return loaded.status();
  auto profiler = (*loaded)->make_profiler({.max_batch = 1});
  if (!profiler.ok()) return profiler.status();
  const auto times = CallTimes::measure([&] { return explained.run(**profiler); }, o.common.repeats);
  if (!times.ok()) return times.status();
  const ExplainCall call{.pairs = static_cast<double>(o.history),
                         .attributes = static_cast<double>(o.attributes),
                         .offered = static_cast<double>(o.offered),
                         .dimension = static_cast<double>(dimension)};
  report.add({dimension, 0, *times, work_of(call), {{"solve_ms", explained.solve_ms()}, {"largest_rest", explained.rest()}}});
  return absl::OkStatus();
}

absl::Status run(const Options& o, const BackendFactory& backends) {
  if (absl::Status s = validate(o); !s.ok()) return s;
  auto backend = open_backend(o.common, backends);
  if (!backend.ok()) return backend.status();
  auto report = BenchReport::begin("explain", o.common, **backend,
                                   {{"items", o.items}, {"history", o.history}, {"attributes", o.attributes}, {"offered", o.offered}});
  if (!report.ok()) return report.status();
  for (const int32_t dimension : o.common.dimensions)
    if (absl::Status s = run_at(o, dimension, **backend, *report); !s.ok()) return s;
  return report->finish();
}

}  // namespace

void add_explain_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<Options>();
  options->common.dimensions = {128};
  CLI::App* command = bench.add_subcommand("explain", "The scores of one answer taken apart, the profile solved first");
  command->add_option("--items", options->items, "Items of the model")->capture_default_str();
  command->add_option("--history", options->history, "Pairs of the history")->capture_default_str();
  command->add_option("--attributes", options->attributes, "Columns of the customer, all of them set")->capture_default_str();
  command->add_option("--offered", options->offered, "Scores that are taken apart")->capture_default_str();
  add_bench_options(*command, options->common);
  command->footer("Example: bouquet bench explain --dimension 128 --history 200 --attributes 5000 --threads 1");
  command->callback([options, backends, &exit_code] { exit_code = report(run(*options, backends)); });
}

}  // namespace bouquet::bench
