#include "bench/read_bench.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/machine.h"
#include "engine/errors.h"
#include "engine/seconds_since.h"
#include "training/interactions_builder.h"
#include "training/parallel_ranges.h"
#include "training/read_flags.h"

namespace bouquet::bench {
namespace {

struct ReadBenchFlags {
  training::ReadFlags reading;
  int threads = 0;
  bool json = false;
};

struct Measured {
  int64_t rows = 0, events = 0, pairs = 0, id_bytes = 0, start_bytes = 0, peak_bytes = 0;
  double read_seconds = 0, cpu_seconds = 0, build_seconds = 0;

  double rows_per_second() const { return static_cast<double>(rows) / read_seconds; }
  // The whole process at its largest, program and libraries included, less the ids.
  double bytes_per_event() const { return static_cast<double>(peak_bytes - id_bytes) / static_cast<double>(events); }
};

// What the table of ids cannot do without: their bytes, an offset each, and the slots.
int64_t id_bytes(const IdMap& ids) {
  int64_t bytes = 0;
  for (int32_t i = 0; i < ids.size(); ++i) bytes += static_cast<int64_t>(ids.id(i).size());
  int64_t slots = ids.size() > 0 ? 16 : 0;
  while (int64_t{ids.size()} * 3 > slots * 2) slots *= 2;
  return bytes + 8 * (int64_t{ids.size()} + 1) + 8 * slots;
}

absl::StatusOr<Measured> measure(const ReadBenchFlags& flags) {
  auto options = read_options(flags.reading);
  if (!options.ok()) return options.status();
  options->threads = flags.threads;
  Measured measured;
  measured.start_bytes = peak_bytes();
  const double cpu_before = cpu_seconds();
  auto start = std::chrono::steady_clock::now();
  const auto dataset = training::read_dataset(*options);
  if (!dataset.ok()) return dataset.status();
  measured.read_seconds = seconds_since(start);
  measured.cpu_seconds = cpu_seconds() - cpu_before;
  measured.rows = dataset->report.rows;
  measured.events = dataset->events.size();
  measured.id_bytes = id_bytes(dataset->customers) + id_bytes(dataset->items);
  start = std::chrono::steady_clock::now();
  const auto set = training::build_training_set(*dataset, {});
  if (!set.ok()) return set.status();
  measured.build_seconds = seconds_since(start);
  measured.pairs = set->interactions.pair_count();
  measured.peak_bytes = peak_bytes();
  return measured;
}

void print(const Measured& m, const ReadBenchFlags& flags) {
  if (flags.json) {
    const nlohmann::json out = {{"rows", m.rows},
                                {"events", m.events},
                                {"pairs", m.pairs},
                                {"threads", training::thread_count(flags.threads)},
                                {"read_seconds", m.read_seconds},
                                {"read_cpu_seconds", m.cpu_seconds},
                                {"rows_per_second", m.rows_per_second()},
                                {"build_seconds", m.build_seconds},
                                {"start_bytes", m.start_bytes},
                                {"peak_bytes", m.peak_bytes},
                                {"id_bytes", m.id_bytes},
                                {"bytes_per_event", m.bytes_per_event()}};
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  std::printf("%lld rows in %.2f s (%.2f s of CPU, %d threads): %.2f M rows/s\n", static_cast<long long>(m.rows), m.read_seconds,
              m.cpu_seconds, training::thread_count(flags.threads), m.rows_per_second() / 1e6);
  std::printf("training set of %lld pairs in %.2f s\n", static_cast<long long>(m.pairs), m.build_seconds);
  std::printf("peak %.1f MB (%.1f MB before reading), ids %.1f MB: %.1f bytes per event without the ids\n",
              static_cast<double>(m.peak_bytes) / 1e6, static_cast<double>(m.start_bytes) / 1e6, static_cast<double>(m.id_bytes) / 1e6,
              m.bytes_per_event());
}

absl::Status run(const ReadBenchFlags& flags) {
  const auto measured = measure(flags);
  if (!measured.ok()) return measured.status();
  print(*measured, flags);
  return absl::OkStatus();
}

}  // namespace

void add_read_bench(CLI::App& bench, int& exit_code) {
  CLI::App* command = bench.add_subcommand("read", "Rows per second from event files to a sorted data set, and bytes per event");
  command->footer("Example: bouquet generate --preset ml20m --out shop && bouquet bench read --events shop/events.csv --threads 2");
  auto flags = std::make_shared<ReadBenchFlags>();
  training::add_read_flags(*command, flags->reading);
  command->add_option("--threads", flags->threads, "how many threads read; 0: all cores")->capture_default_str();
  command->add_flag("--json", flags->json, "one JSON document");
  command->callback([flags, &exit_code] { exit_code = report(run(*flags)); });
}

}  // namespace bouquet::bench
