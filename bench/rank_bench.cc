#include "bench/rank_bench.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "bench/call_times.h"
#include "bench/machine.h"
#include "bench/rank_data.h"
#include "engine/errors.h"
#include "engine/score.h"

namespace bouquet::bench {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Options {
  RankSettings settings;
  std::string backend = "auto";
  int32_t device = 0;
  std::string data_out;
  bool paced = false;
  bool json = false;
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

absl::Status validate(const RankSettings& s) {
  if (s.items < 1 || s.dimension < 1 || s.dimension > kMaxDimension)
    return wrong_usage("--items and --dimension must be at least 1, --dimension at most 1024");
  if (s.k < 1 || s.k > kMaxK) return wrong_usage("--k is " + std::to_string(s.k) + "; it must be from 1 to 1024");
  for (const int32_t batch : s.batches)
    if (batch < 1 || batch > RankData::kQueries) return wrong_usage("--batch " + std::to_string(batch) + " is outside 1 to 1024");
  if (s.exclusions < 0 || s.exclusions > s.items / 2) return wrong_usage("--exclusions must be from 0 to half of the items");
  if (!(s.filter_share >= 0 && s.filter_share <= 1)) return wrong_usage("--filter-share must be from 0 to 1");
  return absl::OkStatus();
}

// Ranks batches of the generated queries, each batch other queries than the one before.
class RankRun {
 public:
  RankRun(const RankSettings& settings, const RankData& data, Ranker& ranker) : settings_(settings), data_(data), ranker_(ranker) {
    rows_.resize(2 * RankData::kQueries);  // twice round, so that a batch may start anywhere
    for (size_t i = 0; i < rows_.size(); ++i) rows_[i] = static_cast<int32_t>(i % RankData::kQueries);
    filters_ = {{data.filter}};
    filter_of_.assign(RankData::kQueries, 0);
    answer_rows_.resize(static_cast<size_t>(RankData::kQueries * settings.k));
    answer_scores_.resize(answer_rows_.size());
  }

  // Seconds of one call, exclusions prepared beforehand.
  absl::StatusOr<double> rank(int32_t batch) {
    const auto n = static_cast<size_t>(batch);
    first_ = (first_ + n) % RankData::kQueries;
    QueryBatch queries{.rows = std::span(rows_).subspan(first_, n), .k = settings_.k};
    if (!data_.exclusions.empty()) queries.exclusions = exclusions(n);
    if (!data_.filter.empty()) {
      queries.filters = filters_;
      queries.filter_of = std::span(filter_of_).first(n);
    }
    const size_t places = n * static_cast<size_t>(settings_.k);
    const auto start = Clock::now();
    if (absl::Status s = ranker_.rank(queries, {std::span(answer_rows_).first(places), std::span(answer_scores_).first(places)}); !s.ok())
      return s;
    return seconds_since(start);
  }

  // Whether the answer to query `i` of the last batch is that of scoring and sorting everything.
  bool is_right(size_t i) const {
    const auto query = static_cast<size_t>(rows_[first_ + i]);
    const auto d = static_cast<size_t>(settings_.dimension), k = static_cast<size_t>(settings_.k);
    std::vector<std::pair<float, int32_t>> scored;
    for (int32_t r = 0; r < settings_.items; ++r)
      if (may_return(query, r))
        scored.emplace_back(score(&data_.queries[query * d], &data_.items[static_cast<size_t>(r) * d], settings_.dimension), r);
    const size_t found = std::min(k, scored.size());
    std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(found), scored.end(),
                      [](const auto& a, const auto& b) { return ranks_before(a.first, a.second, b.first, b.second); });
    for (size_t j = 0; j < k; ++j) {
      if (answer_rows_[i * k + j] != (j < found ? scored[j].second : kNone)) return false;
      if (j < found && answer_scores_[i * k + j] != scored[j].first) return false;
    }
    return true;
  }

 private:
  ListsView exclusions(size_t n) {
    offsets_.assign(1, 0);
    excluded_.clear();
    const ListsView all{data_.exclusion_offsets, data_.exclusions};
    for (size_t i = 0; i < n; ++i) {
      const auto list = all.list(rows_[first_ + i]);
      excluded_.insert(excluded_.end(), list.begin(), list.end());
      offsets_.push_back(static_cast<int64_t>(excluded_.size()));
    }
    return {offsets_, excluded_};
  }

  bool may_return(size_t query, int32_t row) const {
    if (!data_.filter.empty() && !filters_[0].test(row)) return false;
    if (data_.exclusions.empty()) return true;
    const auto list = ListsView{data_.exclusion_offsets, data_.exclusions}.list(static_cast<int64_t>(query));
    return !std::binary_search(list.begin(), list.end(), row);
  }

  const RankSettings& settings_;
  const RankData& data_;
  Ranker& ranker_;
  size_t first_ = 0;
  std::vector<int32_t> rows_, filter_of_, excluded_;
  std::vector<int64_t> offsets_;
  std::vector<BitmapView> filters_;
  std::vector<int32_t> answer_rows_;
  std::vector<float> answer_scores_;
};

absl::StatusOr<int> count_wrong(RankRun& run, int32_t batch) {
  int wrong = 0;
  if (const auto s = run.rank(batch); !s.ok()) return s.status();
  for (int32_t i = 0; i < batch; i += std::max(1, batch / 4)) wrong += !run.is_right(static_cast<size_t>(i));
  return wrong;
}

absl::StatusOr<Json> measure(RankRun& run, int32_t batch, int32_t repetitions) {
  const auto times = CallTimes::measure([&] { return run.rank(batch); }, repetitions);
  if (!times.ok()) return times.status();
  Json row = times->row(batch);
  row["median_us_per_query"] = times->quantile(0.5) * 1e6 / batch;
  row["queries_per_second"] = batch / times->quantile(0.5);
  return row;
}

// One repetition per line of stdin, which names the batch: a peer can be measured in turn with us.
absl::Status run_paced(RankRun& run) {
  for (std::string line; std::getline(std::cin, line);) {
    int32_t batch = 0;
    if (!CLI::detail::lexical_cast(line, batch) || batch < 1 || batch > RankData::kQueries)
      return wrong_usage("--paced reads batch sizes, not '" + line + "'");
    const auto seconds = run.rank(batch);
    if (!seconds.ok()) return seconds.status();
    std::cout << Json{{"seconds", *seconds}, {"right", run.is_right(0)}}.dump() << std::endl;
  }
  return absl::OkStatus();
}

void write_floats(const std::string& path, const std::vector<float>& values) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
}

absl::Status run(const Options& options, const BackendFactory& backends) {
  const RankSettings& s = options.settings;
  if (absl::Status valid = validate(s); !valid.ok()) return valid;
  const RankData data = make_rank_data(s);
  if (!options.data_out.empty()) {
    write_floats(options.data_out + ".items.f32", data.items);
    write_floats(options.data_out + ".queries.f32", data.queries);
  }
  auto backend = backends({.name = options.backend, .threads = options.backend == "cuda" ? 0 : s.threads, .device = options.device});
  if (!backend.ok()) return backend.status();
  auto model = (*backend)->load(make_rank_model(s, data));
  if (!model.ok()) return model.status();
  const auto start = Clock::now();
  auto ranker = (*model)->make_ranker(Side::kItems, {.max_batch = RankData::kQueries, .max_k = s.k});
  if (!ranker.ok()) return ranker.status();
  const double build_seconds = seconds_since(start);
  RankRun run(s, data, **ranker);
  if (options.paced) return run_paced(run);

  Json report{{"benchmark", "rank"},
              {"machine", describe_machine()},
              {"backend", (*backend)->description()},
              {"items", s.items},
              {"dimension", s.dimension},
              {"k", s.k},
              {"threads", s.threads},
              {"seed", s.seed},
              {"distribution", s.distribution},
              {"exclusions", s.exclusions},
              {"filter_share", s.filter_share},
              {"build_seconds", build_seconds},
              {"results", Json::array()}};
  if (!options.json)
    std::printf("%d items x %d (%s), k = %d, %d thread(s), %s\n%8s %12s %12s %12s %14s\n", s.items, s.dimension, s.distribution.c_str(),
                s.k, s.threads, describe_machine().c_str(), "batch", "median ms", "p10 ms", "p90 ms", "us per query");
  for (const int32_t batch : s.batches) {
    const auto wrong = count_wrong(run, batch);
    if (!wrong.ok()) return wrong.status();
    if (*wrong > 0) return absl::InternalError("batch " + std::to_string(batch) + ": answers differ from brute force");
    const auto row = measure(run, batch, s.repetitions);
    if (!row.ok()) return row.status();
    report["results"].push_back(*row);
    if (!options.json)
      std::printf("%8d %12.4f %12.4f %12.4f %14.2f\n", batch, (*row)["median_ms"].get<double>(), (*row)["p10_ms"].get<double>(),
                  (*row)["p90_ms"].get<double>(), (*row)["median_us_per_query"].get<double>());
  }
  if (options.json) std::cout << report.dump(2) << "\n";
  return absl::OkStatus();
}

}  // namespace

void add_rank_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<Options>();
  RankSettings& s = options->settings;
  CLI::App* command = bench.add_subcommand("rank", "Exact top-k of generated vectors, a sample checked against brute force");
  command->add_option("--items", s.items, "Rows that are ranked");
  command->add_option("--dimension", s.dimension, "Numbers per row");
  command->add_option("--k", s.k, "Rows wanted per query");
  command->add_option("--batch", s.batches, "Queries per call; several, apart by commas, are measured one after the other")->delimiter(',');
  command->add_option("--threads", s.threads, "Of the cpu backend; 0: as many as the machine has");
  command->add_option("--seed", s.seed, "Of the generated vectors");
  command->add_option("--distribution", s.distribution, "gaussian (log-normal norms) or decaying (as trained factors)")
      ->check(CLI::IsMember({"gaussian", "decaying"}));
  command->add_option("--exclusions", s.exclusions, "Rows that each query excludes");
  command->add_option("--filter-share", s.filter_share, "Share of the rows that every query's filter lets through; 1: no filter");
  command->add_option("--repetitions", s.repetitions, "Timed calls per batch size; 0: what fits in a second, 7 to 20000");
  command->add_option("--backend", options->backend, "auto, cpu or cuda");
  command->add_option("--device", options->device, "Which GPU of the cuda backend, from 0");
  command->add_option("--data-out", options->data_out, "Write the vectors to PREFIX.items.f32 and PREFIX.queries.f32")->type_name("PREFIX");
  command->add_flag("--paced", options->paced,
                    "Read a batch size per line from stdin, rank once, print the time: for a peer to take turns");
  command->add_flag("--json", options->json, "Print one JSON document");
  command->footer("Example: bouquet bench rank --items 1000000 --dimension 128 --k 100 --batch 1,16,64 --threads 2");
  command->callback([options, backends, &exit_code] { exit_code = report(run(*options, backends)); });
}

}  // namespace bouquet::bench
