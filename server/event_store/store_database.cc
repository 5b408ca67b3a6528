#include "server/event_store/store_database.h"

#include <rocksdb/db.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "engine/errors.h"
#include "server/event_store/answer_entries.h"
#include "server/event_store/entry_expiry.h"
#include "server/event_store/event_id_entry.h"
#include "server/event_store/event_keys.h"
#include "server/event_store/frozen_files.h"
#include "server/event_store/rocks_log.h"

namespace bouquet::server {
namespace {

constexpr char kFormatKey[] = "format";
constexpr char kFormat[] = "1";
constexpr char kWindowKey[] = "event_id_seconds";
const std::array<std::string, kFamilyCount> kFamilyNames{rocksdb::kDefaultColumnFamilyName,
                                                         "events",
                                                         "event_ids",
                                                         "customers",
                                                         "names",
                                                         "attributes",
                                                         "counters",
                                                         "erasures",
                                                         "merges",
                                                         "answers"};

constexpr int kSnapshotFiles = 256;  // beside those of FrozenFiles
constexpr size_t kBlockCacheBytes = size_t{64} << 20;
constexpr size_t kWriteBufferBytes = size_t{64} << 20;  // of all families together: what a start has to read again

rocksdb::DBOptions database_options(rocksdb::Env* env) {
  rocksdb::DBOptions options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.info_log = std::make_shared<RocksLog>();
  options.db_write_buffer_size = kWriteBufferBytes;
  options.max_total_wal_size = kWriteBufferBytes;
  options.max_background_jobs = 2;
  // The list of files begins anew with every change: it has keys in it, of files that have gone too (ErasedFiles), and by its name
  // FrozenFiles sees that there was a change.
  options.max_manifest_file_size = 1;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(Family family, bool compress, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_size = size_t{16} << 10;
  table.format_version = 5;
  options.write_buffer_size = size_t{16} << 20;
  options.compression = compress ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  options.bottommost_compression = compress ? rocksdb::kZSTD : rocksdb::kNoCompression;
  options.level_compaction_dynamic_level_bytes = true;
  if (family == Family::kEvents) {
    // All reads but the whole scan are of one customer.
    options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kCustomerKeyBytes));
    options.memtable_prefix_bloom_size_ratio = .05;
    table.whole_key_filtering = false;
  }
  if (family == Family::kEventIds) {
    // Nearly every look-up finds nothing: it should end in a filter, in memory.
    options.memtable_prefix_bloom_size_ratio = .1;
    options.memtable_whole_key_filtering = true;
    options.periodic_compaction_seconds = 7 * 24 * 3600;
  }
  if (family == Family::kAnswers) options.periodic_compaction_seconds = 24 * 3600;  // what is over is to leave the files too
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

absl::Status newer(const std::string& folder, const std::string& what) {
  return bad_input("--store " + folder + ": " + what + "; this program knows format " + kFormat +
                   " and has changed nothing: open the store with the newer version of bouquet that wrote it, or name another folder");
}

absl::Status at_folder(const std::string& folder, const absl::Status& status) {
  return absl::Status(status.code(), "--store " + folder + ": " + std::string(message_of(status)));
}

}  // namespace

std::string random_text() {
  std::random_device random;
  std::string out;
  for (int i = 0; i < 4; ++i) out += absl::StrFormat("%08x", random());
  return out;
}

absl::Status of_rocks(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = "the store: " + status.ToString();
  if (status.IsCorruption()) return bad_input(message);
  if (status.IsNoSpace() || status.IsIOError() || status.IsBusy()) return no_resource(message);
  return absl::InternalError(message);
}

absl::Status check_is_store(const std::string& folder) {
  if (std::filesystem::exists(std::filesystem::path(folder) / "CURRENT")) return absl::OkStatus();
  return missing_input("--store " + folder + ": there is no store");
}

absl::StatusOr<std::unique_ptr<StoreDatabase>> StoreDatabase::open(const std::string& folder, const StoreDatabaseOptions& options) {
  std::unique_ptr<StoreDatabase> database(new StoreDatabase(options));
  if (absl::Status s = database->open_families(folder, false); !s.ok()) return s;
  if (absl::Status s = database->check_format(folder, false); !s.ok()) return s;
  if (absl::Status s = database->read_identity(false); !s.ok()) return at_folder(folder, s);
  if (absl::Status s = database->settle_event_id_window(false); !s.ok()) return at_folder(folder, s);
  database->may_expire_->store(true);
  return database;
}

absl::StatusOr<std::unique_ptr<StoreDatabase>> StoreDatabase::open_snapshot(const std::string& folder) {
  if (absl::Status s = check_is_store(folder); !s.ok()) return s;
  std::error_code failed;
  const std::string whole = std::filesystem::canonical(folder, failed);  // one text for each path
  if (failed) return at_folder(folder, no_resource(failed.message()));
  auto files = FrozenFiles::of(whole);
  if (!files.ok()) return files.status();
  std::unique_ptr<StoreDatabase> database(new StoreDatabase({}));
  database->frozen_ = rocksdb::NewCompositeEnv(*std::move(files));
  // The newest log may be read while the server writes its last bytes: RocksDB takes what is whole.
  if (absl::Status s = database->open_families(whole, true); !s.ok()) return s;
  if (absl::Status s = database->check_format(folder, true); !s.ok()) return s;
  if (absl::Status s = database->read_identity(true); !s.ok()) return at_folder(folder, s);
  if (absl::Status s = database->settle_event_id_window(true); !s.ok()) return at_folder(folder, s);
  return database;
}

absl::Status StoreDatabase::read_identity(bool snapshot) {
  const rocksdb::Status found = db_->Get({}, kIdentityKey, &identity_);
  if (found.ok() || !found.IsNotFound() || snapshot) return found.IsNotFound() ? absl::OkStatus() : of_rocks(found);
  identity_ = random_text();
  rocksdb::WriteBatch batch;
  batch.Put(kIdentityKey, identity_);
  return write(batch);
}

// Whoever opens the store compacts it, so the window is the store's, not of those who open it.
absl::Status StoreDatabase::settle_event_id_window(bool snapshot) {
  std::string said;
  const rocksdb::Status found = db_->Get({}, kWindowKey, &said);
  if (!found.ok() && !found.IsNotFound()) return of_rocks(found);
  int64_t seconds = absl::ToInt64Seconds(kEventIdWindow);
  if (found.ok() && (!absl::SimpleAtoi(said, &seconds) || seconds <= 0))
    return bad_input("the store: its " + std::string(kWindowKey) + " is '" + said + "', which is no number of seconds");
  window_->store(seconds);
  if (snapshot || !options_.event_id_window || *options_.event_id_window == event_id_window()) return absl::OkStatus();
  if (*options_.event_id_window < absl::Seconds(1)) return wrong_usage("the store: event ids are remembered for a second at least");
  window_->store(absl::ToInt64Seconds(*options_.event_id_window));
  rocksdb::WriteBatch batch;
  batch.Put(kWindowKey, std::to_string(window_->load()));
  return write(batch);
}

absl::Status StoreDatabase::open_families(const std::string& folder, bool snapshot) {
  rocksdb::DBOptions options = database_options(snapshot ? frozen_.get() : options_.env);
  options.max_open_files = snapshot ? kSnapshotFiles : options_.max_open_files;
  std::vector<std::string> there;
  // Fails where there is no store yet; what else is wrong, opening says.
  if (rocksdb::DB::ListColumnFamilies(options, folder, &there).ok())
    for (const std::string& name : there)
      if (std::ranges::find(kFamilyNames, name) == kFamilyNames.end()) return newer(folder, "holds '" + name + "', of a newer format");
  cache_ = rocksdb::NewLRUCache(kBlockCacheBytes);
  const auto is_id_over = [window = window_](std::string_view value, absl::Time now) {
    const auto entry = parse_event_id_entry(value);
    return entry && entry->arrived < absl::ToUnixSeconds(now - absl::Seconds(window->load()));
  };
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (size_t f = 0; f < kFamilyCount; ++f) {
    // A snapshot cannot add what an older program did not make.
    if (snapshot && static_cast<Family>(f) >= Family::kErasures && std::ranges::find(there, kFamilyNames[f]) == there.end()) continue;
    descriptors.emplace_back(kFamilyNames[f], family_options(static_cast<Family>(f), options_.compress, cache_));
    auto& filter = descriptors.back().options.compaction_filter_factory;
    if (static_cast<Family>(f) == Family::kEventIds)
      filter = std::make_shared<EntryExpiryFactory>(is_id_over, options_.clock, may_expire_);
    else if (static_cast<Family>(f) == Family::kAnswers)
      filter = std::make_shared<EntryExpiryFactory>(is_answer_over, options_.clock, may_expire_);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  std::error_code ignored;  // opening says it
  if (!snapshot) std::filesystem::create_directories(folder, ignored);
  const rocksdb::Status opened = snapshot ? rocksdb::DB::OpenForReadOnly(options, folder, descriptors, &handles, &db)
                                          : rocksdb::DB::Open(options, folder, descriptors, &handles, &db);
  if (!opened.ok()) return at_folder(folder, of_rocks(opened));
  db_.reset(db);
  std::ranges::copy(handles, families_.begin());
  return absl::OkStatus();
}

absl::Status StoreDatabase::check_format(const std::string& folder, bool snapshot) {
  std::string format;
  const rocksdb::Status found = db_->Get({}, kFormatKey, &format);
  if (found.IsNotFound() && !snapshot) {
    rocksdb::WriteBatch batch;
    batch.Put(kFormatKey, kFormat);
    const absl::Status written = write(batch);
    return written.ok() ? written : at_folder(folder, written);
  }
  if (!found.ok()) return at_folder(folder, of_rocks(found));
  return format == kFormat ? absl::OkStatus() : newer(folder, "is of format " + format);
}

StoreDatabase::StoreDatabase(const StoreDatabaseOptions& options) : options_(options) {}

StoreDatabase::~StoreDatabase() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : families_) db_->DestroyColumnFamilyHandle(handle);
  db_->Close();
}

absl::Status StoreDatabase::check_room() const {
  uint64_t free_bytes = 0;
  const rocksdb::Status asked = db_->GetFileSystem()->GetFreeSpace(db_->GetName(), {}, &free_bytes, nullptr);
  if (!asked.ok() || free_bytes >= options_.reserve_bytes) return absl::OkStatus();
  return no_resource("the store: the disk has " + std::to_string(free_bytes >> 20) + " MiB left, and the last " +
                     std::to_string(options_.reserve_bytes >> 20) + " MiB are kept free: make room");
}

absl::Status StoreDatabase::write(rocksdb::WriteBatch& batch) {
  if (absl::Status s = check_room(); !s.ok()) return s;
  if (failed_.load())
    if (absl::Status s = go_on(); !s.ok()) return s;
  if (absl::Status s = keep_something_to_write_out(); !s.ok()) return s;
  rocksdb::WriteOptions options;
  options.sync = options_.sync;
  const absl::Status written = of_rocks(db_->Write(options, &batch));
  if (!written.ok()) failed_.store(true);
  return written;
}

absl::Status StoreDatabase::flush() {
  if (absl::Status s = check_room(); !s.ok()) return s;
  return of_rocks(db_->Flush({}, {families_.begin(), families_.end()}));
}

// RocksDB leaves a log that a write has failed in only by writing out what is in memory; if there is nothing, it would go on with the
// broken log, and stop at the first write. So there is always something.
absl::Status StoreDatabase::keep_something_to_write_out() {
  uint64_t entries = 0;
  if (!db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries) || entries > 0) return absl::OkStatus();
  rocksdb::WriteOptions in_memory;
  in_memory.disableWAL = true;
  return of_rocks(db_->Put(in_memory, kFormatKey, kFormat));
}

// After a failed write RocksDB takes no other until it goes on: by itself once the disk has room, or because it is told to. Going on
// writes out what is in memory, so that the log, whose end nobody can vouch for, is no longer needed; it fails for good if the disk is
// still full then, hence the check of room first.
absl::Status StoreDatabase::go_on() {
  const std::lock_guard lock(resuming_);
  if (!failed_.load()) return absl::OkStatus();
  const auto now = std::chrono::steady_clock::now();
  const absl::Status not_yet = no_resource(
      "the store: the last write failed, and the store cannot go on yet: if there is room on the disk and this stays, restart the server");
  if (now - resumed_at_ < kResumeInterval) return not_yet;
  const bool resumed = db_->Resume().ok();
  resumed_at_ = std::chrono::steady_clock::now();
  if (!resumed) return not_yet;
  failed_.store(false);
  resumed_at_ = {};
  return absl::OkStatus();
}

}  // namespace bouquet::server
