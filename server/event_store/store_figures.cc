#include "server/event_store/store_figures.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>

#include "engine/errors.h"
#include "server/event_store/event_keys.h"
#include "server/event_store/merge_records.h"
#include "server/event_store/name_table.h"
#include "server/event_store/scan_options.h"
#include "server/event_store/store_counters.h"

namespace bouquet::server {
namespace {

constexpr uint64_t kReserveBytes = uint64_t{96} << 20;  // what the store leaves alone, and what changes while it is compacted

bool is_stopped(const std::atomic<bool>* stop) { return stop != nullptr && stop->load(std::memory_order_relaxed); }
absl::Status stopped() { return absl::CancelledError("reading the figures was stopped"); }

absl::StatusOr<uint64_t> name_count(const StoreDatabase& database, NameKind kind) {
  NameTable names(kind);
  if (absl::Status s = names.load(database); !s.ok()) return s;
  return static_cast<uint64_t>(names.size());
}

absl::Status read_times(const StoreDatabase& database, const std::atomic<bool>* stop, StoreFigures& figures) {
  const std::unique_ptr<rocksdb::Iterator> at(database.rocks().NewIterator(scan_options(), database.family(Family::kEvents)));
  int64_t oldest = std::numeric_limits<int64_t>::max(), newest = std::numeric_limits<int64_t>::min();
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    if (is_stopped(stop)) return stopped();
    if (at->key().size() != kEventKeyBytes) return bad_input("the store: an event is damaged");
    const int64_t time = time_of_key(at->key().ToStringView());
    oldest = std::min(oldest, time);
    newest = std::max(newest, time);
  }
  if (oldest <= newest) {
    figures.oldest_time = oldest;
    figures.newest_time = newest;
  }
  return of_rocks(at->status());
}

absl::Status count_answers(const StoreDatabase& database, const std::atomic<bool>* stop, uint64_t& answers) {
  if (database.family(Family::kAnswers) == nullptr) return absl::OkStatus();
  const std::unique_ptr<rocksdb::Iterator> at(database.rocks().NewIterator(scan_options(), database.family(Family::kAnswers)));
  for (at->SeekToFirst(); at->Valid(); at->Next(), ++answers)
    if (is_stopped(stop)) return stopped();
  return of_rocks(at->status());
}

uint64_t log_bytes_of(const std::string& folder) {
  uint64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".log") continue;
    const uint64_t size = entry.file_size(ignored);  // the server may have taken it away
    if (!ignored) bytes += size;
  }
  return bytes;
}

}  // namespace

uint64_t table_bytes(const StoreDatabase& database) {
  uint64_t bytes = 0;
  database.rocks().GetAggregatedIntProperty(rocksdb::DB::Properties::kLiveSstFilesSize, &bytes);
  return bytes;
}

absl::StatusOr<StoreFigures> read_figures(const StoreDatabase& database, const std::atomic<bool>* stop) {
  const auto counters = read_counters(database);
  if (!counters.ok()) return counters.status();
  const auto items = name_count(database, NameKind::kItem);
  if (!items.ok()) return items.status();
  const auto types = name_count(database, NameKind::kEventType);
  if (!types.ok()) return types.status();
  StoreFigures figures{.events = counters->events,
                       .customers = counters->customers,
                       .items = *items,
                       .event_types = *types,
                       .newest_sequence = counters->sequence,
                       .table_bytes = table_bytes(database)};
  const auto count = [&](const MergeRecord& record) {
    figures.merges += record.undone == 0 ? 1 : 0;
    return true;
  };
  if (absl::Status s = scan_merges(database, count); !s.ok()) return s;
  figures.log_bytes = log_bytes_of(database.rocks().GetName());
  figures.event_id_seconds = static_cast<uint64_t>(absl::ToInt64Seconds(database.event_id_window()));
  if (absl::Status s = count_answers(database, stop, figures.answers); !s.ok()) return s;
  if (absl::Status s = read_times(database, stop, figures); !s.ok()) return s;
  return figures;
}

absl::Status compact(StoreDatabase& database, std::atomic<bool>* stop) {
  const uint64_t needed = table_bytes(database) + kReserveBytes;
  std::error_code failed;
  const auto space = std::filesystem::space(database.rocks().GetName(), failed);
  if (!failed && space.available < needed)
    return no_resource("the store: compacting needs " + std::to_string(needed >> 20) + " MiB of room, and " +
                       std::to_string(space.available >> 20) + " MiB are free");
  rocksdb::CompactRangeOptions everything;
  everything.exclusive_manual_compaction = false;
  everything.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  everything.canceled = stop;
  for (size_t f = 0; f < kFamilyCount; ++f) {
    const rocksdb::Status done = database.rocks().CompactRange(everything, database.family(static_cast<Family>(f)), nullptr, nullptr);
    if (stop != nullptr && stop->load()) return absl::CancelledError("the compaction was stopped");
    if (!done.ok()) return of_rocks(done);
  }
  return absl::OkStatus();
}

}  // namespace bouquet::server
