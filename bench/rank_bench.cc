#include "bench/rank_bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "bench/bench_options.h"
#include "bench/bench_report.h"
#include "bench/call_times.h"
#include "bench/call_work.h"
#include "bench/rank_data.h"
#include "engine/errors.h"
#include "engine/score.h"
#include "engine/seconds_since.h"

namespace bouquet::bench {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Options {
  BenchOptions common;
  RankSettings settings;
  std::vector<int32_t> batches = {1, 16, 64};
  std::string data_out;
  bool paced = false;
};

absl::Status validate(const Options& o) {
  const RankSettings& s = o.settings;
  if (absl::Status valid = validate(o.common, o.batches, RankData::kQueries); !valid.ok()) return valid;
  if (s.items < 1) return wrong_usage("--items must be at least 1");
  if (s.k < 1 || s.k > kMaxK) return wrong_usage("--k is " + std::to_string(s.k) + "; it must be from 1 to 1024");
  if (s.exclusions < 0 || s.exclusions > s.items / 2) return wrong_usage("--exclusions must be from 0 to half of the items");
  if (!(s.filter_share >= 0 && s.filter_share <= 1)) return wrong_usage("--filter-share must be from 0 to 1");
  if ((o.paced || !o.data_out.empty()) && o.common.dimensions.size() != 1)
    return wrong_usage("--paced and --data-out take one --dimension");
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

  // The time of one call, exclusions prepared beforehand.
  absl::StatusOr<CallTime> rank(int32_t batch) {
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
    return CallTime{seconds_since(start), ranker_.device_seconds()};
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

absl::StatusOr<Measured> measure(RankRun& run, const Options& o, int32_t dimension, int32_t batch) {
  const auto wrong = count_wrong(run, batch);
  if (!wrong.ok()) return wrong.status();
  if (*wrong > 0) return absl::InternalError("batch " + std::to_string(batch) + ": answers differ from brute force");
  const auto times = CallTimes::measure([&] { return run.rank(batch); }, o.common.repeats);
  if (!times.ok()) return times.status();
  const RankSettings& s = o.settings;
  const RankCall call{.queries = static_cast<double>(batch),
                      .rows = static_cast<double>(s.items),
                      .dimension = static_cast<double>(dimension),
                      .k = static_cast<double>(s.k),
                      .exclusions = static_cast<double>(s.exclusions),
                      .filters = s.filter_share < 1 ? 1.0 : 0.0};
  const double median = times->wall.median();
  return Measured{
      dimension, batch, *times, work_of(call), {{"us_per_query", median * 1e6 / batch}, {"queries_per_second", batch / median}}};
}

// One repetition per line of stdin, which names the batch: a peer can be measured in turn with us.
absl::Status run_paced(RankRun& run) {
  for (std::string line; std::getline(std::cin, line);) {
    int32_t batch = 0;
    if (!CLI::detail::lexical_cast(line, batch) || batch < 1 || batch > RankData::kQueries)
      return wrong_usage("--paced reads batch sizes, not '" + line + "'");
    const auto time = run.rank(batch);
    if (!time.ok()) return time.status();
    const Json device = time->device_seconds ? Json(*time->device_seconds) : Json();
    std::cout << Json{{"seconds", time->wall_seconds}, {"device_seconds", device}, {"right", run.is_right(0)}}.dump() << std::endl;
  }
  return absl::OkStatus();
}

void write_floats(const std::string& path, const std::vector<float>& values) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
}

void write_vectors(const std::string& prefix, const RankData& data) {
  write_floats(prefix + ".items.f32", data.items);
  write_floats(prefix + ".queries.f32", data.queries);
}

// Everything at one dimension. Without a report: as stdin says.
absl::Status run_at(const Options& o, int32_t dimension, Backend& backend, BenchReport* report) {
  RankSettings s = o.settings;
  s.dimension = dimension;
  s.seed = o.common.seed;
  const RankData data = make_rank_data(s);
  if (!o.data_out.empty()) write_vectors(o.data_out, data);
  auto model = backend.load(make_rank_model(s, data));
  if (!model.ok()) return model.status();
  const auto start = Clock::now();
  auto ranker = (*model)->make_ranker(Side::kItems, {.max_batch = RankData::kQueries, .max_k = s.k});
  if (!ranker.ok()) return ranker.status();
  const double build_seconds = seconds_since(start);
  if (absl::Status timed = time_on_device(**ranker); !timed.ok()) return timed;
  RankRun run(s, data, **ranker);
  if (report == nullptr) return run_paced(run);
  for (const int32_t batch : o.batches) {
    auto measured = measure(run, o, dimension, batch);
    if (!measured.ok()) return measured.status();
    measured->more["build_seconds"] = build_seconds;
    report->add(*measured);
  }
  return absl::OkStatus();
}

absl::Status run(const Options& o, const BackendFactory& backends) {
  if (absl::Status valid = validate(o); !valid.ok()) return valid;
  auto backend = open_backend(o.common, backends);
  if (!backend.ok()) return backend.status();
  if (o.paced) return run_at(o, o.common.dimensions.front(), **backend, nullptr);
  const RankSettings& s = o.settings;
  auto report = BenchReport::begin(
      "rank", o.common, **backend,
      {{"items", s.items}, {"k", s.k}, {"distribution", s.distribution}, {"exclusions", s.exclusions}, {"filter_share", s.filter_share}});
  if (!report.ok()) return report.status();
  for (const int32_t dimension : o.common.dimensions)
    if (absl::Status done = run_at(o, dimension, **backend, &*report); !done.ok()) return done;
  return report->finish();
}

}  // namespace

void add_rank_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<Options>();
  options->common.dimensions = {64};
  RankSettings& s = options->settings;
  CLI::App* command = bench.add_subcommand("rank", "Exact top-k of generated vectors, a sample checked against brute force");
  command->add_option("--items", s.items, "Rows that are ranked")->capture_default_str();
  command->add_option("--k", s.k, "Rows wanted per query")->capture_default_str();
  add_batch_options(*command, options->common, options->batches);
  command->add_option("--distribution", s.distribution, "gaussian (log-normal norms) or decaying (as trained factors)")
      ->check(CLI::IsMember({"gaussian", "decaying"}))
      ->capture_default_str();
  command->add_option("--exclusions", s.exclusions, "Rows that each query excludes")->capture_default_str();
  command->add_option("--filter-share", s.filter_share, "Share of the rows that every query's filter lets through; 1: no filter")
      ->capture_default_str();
  add_bench_options(*command, options->common);
  command->add_option("--data-out", options->data_out, "Write the vectors to PREFIX.items.f32 and PREFIX.queries.f32")->type_name("PREFIX");
  command->add_flag("--paced", options->paced,
                    "Read a batch size per line from stdin, rank once, print the times: for a peer to take turns");
  command->footer("Example: bouquet bench rank --items 1000000 --dimension 64,128 --k 100 --batch 1,16,64 --threads 2 --svg rank.svg");
  command->callback([options, backends, &exit_code] { exit_code = report(run(*options, backends)); });
}

}  // namespace bouquet::bench
