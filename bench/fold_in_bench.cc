#include "bench/fold_in_bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/call_times.h"
#include "bench/machine.h"
#include "bench/rank_data.h"
#include "engine/errors.h"
#include "engine/ridge_rule.h"

namespace bouquet::bench {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Options {
  int32_t items = 100000;
  int32_t dimension = 128;
  int32_t history = 200;
  std::vector<int32_t> batches = {1, 64, 1024};
  int32_t repetitions = 0;
  uint64_t seed = 1;
  bool cholesky = false;
  bool json = false;
  BackendChoice backend;
};

absl::Status validate(const Options& o) {
  if (o.items < 1 || o.dimension < 1 || o.dimension > kMaxDimension)
    return wrong_usage("--items and --dimension must be at least 1, --dimension at most 1024");
  if (o.history < 1 || o.history > o.items) return wrong_usage("--history must be from 1 to the number of items");
  for (const int32_t batch : o.batches)
    if (batch < 1 || batch > 65536) return wrong_usage("--batch " + std::to_string(batch) + " is outside 1 to 65536");
  return absl::OkStatus();
}

// Items whose coordinates fall off as trained factors do, with the Gram matrix that belongs to them.
Model make_model(const Options& o) {
  const RankSettings settings{.items = o.items, .dimension = o.dimension, .seed = o.seed, .distribution = "decaying"};
  Model model = make_rank_model(settings, make_rank_data(settings));
  const auto d = static_cast<size_t>(o.dimension);
  std::vector<double> sums(d * d);
  for (int32_t r = 0; r < o.items; ++r) {
    const auto q = model.item_matrix().row(r);
    for (size_t i = 0; i < d; ++i)
      for (size_t j = 0; j < d; ++j) sums[i * d + j] += double{q[i]} * double{q[j]};
  }
  model.item_gram = std::vector<float>(sums.begin(), sums.end());
  model.constants = {0.1, 0.01, 0.5, o.items, 1};
  return model;
}

// Histories of one length: every n-th item from another start.
struct Histories {
  Histories(const Options& o, int32_t batch) {
    const int32_t step = o.items / o.history;
    for (int32_t r = 0; r < batch; ++r) {
      for (int32_t k = 0; k < o.history; ++k) {
        const uint64_t place = static_cast<uint64_t>(r) * static_cast<uint64_t>(o.history) + static_cast<uint64_t>(k);
        items.push_back(k * step + static_cast<int32_t>((place * 2654435761u) % static_cast<uint64_t>(step)));
        confidences.push_back(1.0f + static_cast<float>(place % 7));
      }
      offsets.push_back(static_cast<int64_t>(items.size()));
    }
  }
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items;
  std::vector<float> confidences;
};

// |W p - b| / |b| of the first profile, in double: the result's worth beside its time.
double residual_of_first(const Model& model, const Histories& histories, std::span<const float> p) {
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

absl::StatusOr<Json> measure(const Options& o, const Model& model, Profiler& profiler, int32_t batch) {
  const Histories histories(o, batch);
  const auto n = static_cast<size_t>(batch), d = static_cast<size_t>(o.dimension);
  std::vector<float> profiles(n * d), factors(o.cholesky ? n * d * d : 0);
  const HistoryBatch in{histories.offsets, histories.items, histories.confidences, {}};
  const ProfileBatch out{{profiles.data(), batch, o.dimension}, factors};
  const auto solve = [&]() -> absl::StatusOr<double> {
    const auto start = Clock::now();
    if (absl::Status s = profiler.solve(in, out); !s.ok()) return s;
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const auto times = CallTimes::measure(solve, o.repetitions);
  if (!times.ok()) return times.status();
  // Of the direct system, whichever way the backend takes.
  const double flops =
      static_cast<double>(n) * (static_cast<double>(o.history) * static_cast<double>(d * d) + static_cast<double>(d * d * d) / 3);
  Json row = times->row(batch);
  row["median_us_per_profile"] = times->quantile(0.5) * 1e6 / batch;
  row["direct_flops"] = flops;
  row["gathered_bytes"] = static_cast<double>(n) * static_cast<double>(o.history) * static_cast<double>(d) * sizeof(float);
  row["relative_residual"] = residual_of_first(model, histories, std::span(profiles).first(d));
  return row;
}

absl::Status run(const Options& o, const BackendFactory& backends) {
  if (absl::Status s = validate(o); !s.ok()) return s;
  auto backend = backends(o.backend);
  if (!backend.ok()) return backend.status();
  const Model model = make_model(o);
  auto loaded = (*backend)->load(model);
  if (!loaded.ok()) return loaded.status();
  auto profiler = (*loaded)->make_profiler({.max_batch = *std::ranges::max_element(o.batches)});
  if (!profiler.ok()) return profiler.status();
  Json report{{"benchmark", "fold-in"},
              {"machine", describe_machine()},
              {"backend", (*backend)->description()},
              {"items", o.items},
              {"dimension", o.dimension},
              {"history", o.history},
              {"cholesky", o.cholesky},
              {"seed", o.seed},
              {"results", Json::array()}};
  if (!o.json)
    std::printf("%d items x %d, histories of %d, %s, %s\n%8s %12s %12s %12s %14s %12s\n", o.items, o.dimension, o.history,
                (*backend)->description().c_str(), describe_machine().c_str(), "batch", "median ms", "p10 ms", "p90 ms", "us per profile",
                "residual");
  for (const int32_t batch : o.batches) {
    const auto row = measure(o, model, **profiler, batch);
    if (!row.ok()) return row.status();
    report["results"].push_back(*row);
    if (!o.json)
      std::printf("%8d %12.4f %12.4f %12.4f %14.2f %12.2e\n", batch, (*row)["median_ms"].get<double>(), (*row)["p10_ms"].get<double>(),
                  (*row)["p90_ms"].get<double>(), (*row)["median_us_per_profile"].get<double>(), (*row)["relative_residual"].get<double>());
  }
  if (o.json) std::cout << report.dump(2) << "\n";
  return absl::OkStatus();
}

}  // namespace

void add_fold_in_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand("fold-in", "Profiles solved from made-up histories, with the residual of the first");
  command->add_option("--items", options->items, "Items of the model")->capture_default_str();
  command->add_option("--dimension", options->dimension, "d, 1 to 1024")->capture_default_str();
  command->add_option("--history", options->history, "Pairs of each history")->capture_default_str();
  command->add_option("--batch", options->batches, "Histories per call; several, apart by commas, are measured one after the other")
      ->delimiter(',');
  command->add_option("--repetitions", options->repetitions, "Timed calls per batch size; 0: what fits in a second, 7 to 20000");
  command->add_option("--backend", options->backend.name, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--device", options->backend.device, "Which GPU of the cuda backend, from 0")->capture_default_str();
  command->add_option("--threads", options->backend.threads, "Threads of the cpu backend, 0 for all")->capture_default_str();
  command->add_option("--seed", options->seed, "Of the generated vectors")->capture_default_str();
  command->add_flag("--cholesky", options->cholesky, "Ask for the Cholesky factors too");
  command->add_flag("--json", options->json, "Print one JSON document");
  command->footer("Example: bouquet bench fold-in --items 100000 --dimension 128 --history 200 --batch 1,64,1024 --threads 2");
  command->callback([options, backends, &exit_code] { exit_code = report(run(*options, backends)); });
}

}  // namespace bouquet::bench
