#include "bench/store_bench.h"

#include <CLI/CLI.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/call_times.h"
#include "bench/machine.h"
#include "bench/sync_times.h"
#include "engine/errors.h"
#include "engine/scratch_folder.h"
#include "engine/seconds_since.h"
#include "server/event_store/event_store.h"
#include "server/event_store/store_figures.h"

namespace bouquet::bench {
namespace {

using server::EventStore;
using server::NewEvent;
using server::Outcome;
using server::StoreDatabase;
using server::StoreDatabaseOptions;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kIdBytes = 16;
constexpr uint64_t kTimeSpan = uint64_t{365} * 24 * 3600 * 1'000'000;  // events happened in the last year, at any microsecond

struct StoreBenchSettings {
  std::string folder;
  int64_t events = 500'000;
  int batch = 100;
  int callers = 8;
  int64_t customers = 50'000;
  int64_t items = 20'000;
  bool json = false;

  int64_t events_of_a_caller() const { return events / callers / batch * batch; }
};

// What `bench store` found.
struct StoreBenchFigures {
  Spread sync;    // fdatasync of a small append beside the store
  Spread answer;  // from an append to its acknowledgement
  double seconds = 0, cpu_seconds = 0;
  int64_t groups = 0;
  double bytes_inside = 0, bytes_outside = 0;  // per event, after compaction, within the window of event ids and after it
  double scanned_per_second = 0;
};

uint64_t mixed(uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Random bytes, the same for the same number and kind.
std::string random_id(int64_t number, uint64_t kind) {
  const uint64_t words[2] = {mixed(static_cast<uint64_t>(number) * 16 + kind * 2),
                             mixed(static_cast<uint64_t>(number) * 16 + kind * 2 + 1)};
  return std::string(reinterpret_cast<const char*>(words), kIdBytes);
}

// Counts the groups that were written with one sync.
class GroupCount final : public server::EventStoreObserver {
 public:
  void committed(const server::CommitReport&) override { ++groups; }
  std::atomic<int64_t> groups{0};
};

struct Ids {
  std::vector<std::string> customers, items;
};

// One caller: appends its share, a batch at a time, each after the answer to the one before. Returns the seconds of each.
absl::StatusOr<std::vector<double>> append_share(EventStore& store, const StoreBenchSettings& settings, const Ids& ids, int caller) {
  std::mt19937_64 random(static_cast<uint64_t>(caller) + 1);
  std::vector<double> seconds;
  const int64_t newest = absl::ToUnixMicros(absl::Now());
  int64_t next = caller * settings.events_of_a_caller();
  for (const int64_t end = next + settings.events_of_a_caller(); next < end;) {
    std::vector<std::string> event_ids;
    for (int i = 0; i < settings.batch; ++i) event_ids.push_back(random_id(next++, 3));
    std::vector<NewEvent> events(event_ids.size());
    for (size_t i = 0; i < events.size(); ++i) {
      events[i].customer_id = ids.customers[random() % ids.customers.size()];
      events[i].item_id = ids.items[random() % ids.items.size()];
      events[i].type = "purchase";
      events[i].event_id = event_ids[i];
      events[i].time = newest - static_cast<int64_t>(random() % kTimeSpan);
    }
    std::promise<absl::Status> answer;
    const auto begin = SteadyClock::now();
    const absl::Status taken = store.append(events, [&](std::span<const Outcome> outcomes) {
      absl::Status first;
      for (const Outcome& outcome : outcomes) first.Update(outcome.status);
      answer.set_value(first);
    });
    if (!taken.ok()) return taken;
    if (absl::Status stored = answer.get_future().get(); !stored.ok()) return stored;
    seconds.push_back(seconds_since(begin));
  }
  return seconds;
}

absl::Status measure_appends(EventStore& store, const StoreBenchSettings& settings, StoreBenchFigures& out) {
  Ids ids;
  for (int64_t i = 0; i < settings.customers; ++i) ids.customers.push_back(random_id(i, 1));
  for (int64_t i = 0; i < settings.items; ++i) ids.items.push_back(random_id(i, 2));
  std::vector<std::future<absl::StatusOr<std::vector<double>>>> callers;
  const double cpu = cpu_seconds();
  const auto begin = SteadyClock::now();
  for (int c = 0; c < settings.callers; ++c)
    callers.push_back(std::async(std::launch::async, [&, c] { return append_share(store, settings, ids, c); }));
  std::vector<double> answers;
  absl::Status first;
  for (auto& caller : callers) {
    const auto seconds = caller.get();
    first.Update(seconds.status());
    if (seconds.ok()) answers.insert(answers.end(), seconds->begin(), seconds->end());
  }
  out.seconds = seconds_since(begin);
  out.cpu_seconds = cpu_seconds() - cpu;
  out.answer = Spread(std::move(answers));
  return first;
}

// Bytes of all files of the store for each event, once there is nothing left to compact.
absl::StatusOr<double> compacted_bytes(StoreDatabase& database) {
  if (absl::Status s = server::compact(database); !s.ok()) return s;
  const auto figures = server::read_figures(database);
  if (!figures.ok()) return figures.status();
  return static_cast<double>(figures->table_bytes) / static_cast<double>(figures->events);
}

absl::Status measure_scan(const EventStore& store, StoreBenchFigures& out) {
  int64_t events = 0;
  const auto begin = SteadyClock::now();
  const absl::Status read = store.events().scan({}, [&](server::CustomerNumber, std::span<const server::StoredEvent> of_customer) {
    events += static_cast<int64_t>(of_customer.size());
    return true;
  });
  out.scanned_per_second = static_cast<double>(events) / seconds_since(begin);
  return read;
}

absl::Status measure(const std::string& folder, const StoreBenchSettings& settings, StoreBenchFigures& out) {
  auto syncs = measure_syncs(folder);
  if (!syncs.ok()) return syncs.status();
  out.sync = *std::move(syncs);
  // The clock is moved on past the window of event ids when what they take has been measured.
  auto ahead = std::make_shared<std::atomic<int64_t>>(0);
  StoreDatabaseOptions options;
  options.clock = [ahead] { return absl::Now() + absl::Hours(24 * ahead->load()); };
  const auto database = StoreDatabase::open(folder + "/store", options);
  if (!database.ok()) return database.status();
  GroupCount count;
  server::EventStoreOptions store_options;
  store_options.observer = &count;
  const auto store = EventStore::open(**database, store_options);
  if (!store.ok()) return store.status();
  if (absl::Status s = measure_appends(**store, settings, out); !s.ok()) return s;
  out.groups = count.groups;
  const auto inside = compacted_bytes(**database);
  if (!inside.ok()) return inside.status();
  out.bytes_inside = *inside;
  if (absl::Status s = measure_scan(**store, out); !s.ok()) return s;
  ahead->store(31);
  const auto outside = compacted_bytes(**database);
  if (!outside.ok()) return outside.status();
  out.bytes_outside = *outside;
  return absl::OkStatus();
}

void print(const StoreBenchFigures& f, const StoreBenchSettings& settings) {
  const double stored = static_cast<double>(settings.events_of_a_caller() * settings.callers);
  if (settings.json) {
    const nlohmann::ordered_json out = {{"machine", describe_machine()},
                                        {"events", stored},
                                        {"batch", settings.batch},
                                        {"callers", settings.callers},
                                        {"customers", settings.customers},
                                        {"items", settings.items},
                                        {"events_per_second", stored / f.seconds},
                                        {"cpu_us_per_event", 1e6 * f.cpu_seconds / stored},
                                        {"events_per_sync", stored / static_cast<double>(f.groups)},
                                        {"answer_p50_ms", 1e3 * f.answer.quantile(.5)},
                                        {"answer_p99_ms", 1e3 * f.answer.quantile(.99)},
                                        {"fdatasync_p50_ms", 1e3 * f.sync.quantile(.5)},
                                        {"fdatasync_p99_ms", 1e3 * f.sync.quantile(.99)},
                                        {"bytes_per_event_inside_window", f.bytes_inside},
                                        {"bytes_per_event_outside_window", f.bytes_outside},
                                        {"scanned_events_per_second", f.scanned_per_second}};
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  std::printf("%s\n", describe_machine().c_str());
  std::printf("%.0f events durable, batches of %d from %d callers: %.0f /s, %.1f us of CPU each (callers included), %.0f to a sync\n",
              stored, settings.batch, settings.callers, stored / f.seconds, 1e6 * f.cpu_seconds / stored,
              stored / static_cast<double>(f.groups));
  std::printf("a batch is answered within p50 %.2f, p99 %.2f ms; fdatasync of 4 KiB beside it p50 %.2f, p99 %.2f ms\n",
              1e3 * f.answer.quantile(.5), 1e3 * f.answer.quantile(.99), 1e3 * f.sync.quantile(.5), 1e3 * f.sync.quantile(.99));
  std::printf("%.1f bytes per event inside the window of event ids, %.1f outside, after compaction (random ids of %zu bytes)\n",
              f.bytes_inside, f.bytes_outside, kIdBytes);
  std::printf("scan of all events in order, one thread: %.2f M/s\n", f.scanned_per_second / 1e6);
}

absl::Status run(const StoreBenchSettings& settings) {
  if (settings.callers < 1 || settings.batch < 1 || settings.customers < 1 || settings.items < 1 ||
      settings.events < int64_t{settings.callers} * settings.batch)
    return wrong_usage("--events must be at least --callers times --batch, and all of them at least 1");
  const auto folder = ScratchFolder::make("bench", settings.folder);
  if (!folder.ok()) return folder.status();
  StoreBenchFigures figures;
  const absl::Status status = measure(folder->path(), settings, figures);
  if (status.ok()) print(figures, settings);
  return status;
}

}  // namespace

void add_store_bench(CLI::App& bench, int& exit_code) {
  auto settings = std::make_shared<StoreBenchSettings>();
  CLI::App* command = bench.add_subcommand("store", "Events durable per second, bytes per event, and events read back per second");
  command->footer("Example: bouquet bench store --events 2000000 --callers 8 --batch 100");
  command->add_option("--folder", settings->folder, "Where the store is made, on the disk to be measured; default: the temporary folder");
  command->add_option("--events", settings->events, "Events in all")->capture_default_str();
  command->add_option("--batch", settings->batch, "Events of one call")->capture_default_str();
  command->add_option("--callers", settings->callers, "Threads that call, each after its last answer")->capture_default_str();
  command->add_option("--customers", settings->customers, "Customers whom the events are of")->capture_default_str();
  command->add_option("--items", settings->items, "Items that they are for")->capture_default_str();
  command->add_flag("--json", settings->json, "One JSON document on stdout");
  command->callback([settings, &exit_code] { exit_code = report(run(*settings)); });
}

}  // namespace bouquet::bench
