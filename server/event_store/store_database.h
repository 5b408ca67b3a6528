// The one RocksDB below a server's --store: what calls say of items (CatalogStore) and what customers did (EventStore) stand in column
// families of one database with one write-ahead log, so that a checkpoint or a backup takes all of it at one moment.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/file_shares.h"

namespace rocksdb {
class Cache;
class ColumnFamilyHandle;
class DB;
class Env;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace bouquet::server {

// What a family holds; docs/formats.md has keys and values.
//   kCatalog    RocksDB's default family: the schema version, items, their calls' request ids
//   kEvents     one entry for each stored event, by customer, time and arrival
//   kEventIds   what makes repeating an event harmless, for as long as the window lasts
//   kCustomers  customer id <-> number
//   kNames      item ids and event types <-> numbers
//   kAttributes the last word on each attribute of each customer
//   kCounters   what is numbered next
//   kErasures   who was erased, as keyed hashes, and receipts
//   kMerges     which customers are one person, by numbers
//   kAnswers    what came with requests, by keyed hashes of customers, until its time is over
enum class Family { kCatalog = 0, kEvents, kEventIds, kCustomers, kNames, kAttributes, kCounters, kErasures, kMerges, kAnswers };
inline constexpr size_t kFamilyCount = 10;

inline constexpr char kIdentityKey[] = "uuid";  // in kCatalog; drawn anew by the next open() if it is not there
inline constexpr absl::Duration kEventIdWindow = absl::Hours(24 * 30);

struct StoreDatabaseOptions {
  // How long an event id is remembered, from its arrival, a second at least; kept in the store. None: as the store has it, kEventIdWindow
  // in a new one.
  std::optional<absl::Duration> event_id_window;
  std::function<absl::Time()> clock = absl::Now;
  // For tests of what a disk can do; none: the machine's own. Outlives the database.
  rocksdb::Env* env = nullptr;
  // Room that is left alone: fewer bytes free, and nothing more is written. RocksDB then never runs into a full disk while it moves what it
  // has, which it might not come back from without a restart.
  uint64_t reserve_bytes = uint64_t{96} << 20;
  // Beyond them sorted files are opened when they are read. -1: no bound: for the control of the test that shows what it is for.
  int32_t max_open_files = file_shares().store;
  // False: for tests that look for bytes in the files.
  bool compress = true;
  // False loses what was acknowledged when the power goes: for the control of the test that shows that true does not.
  bool sync = true;
};

// Thread-safe.
class StoreDatabase {
 public:
  // Makes the folder if there is none; one process at a time has it open. A store of families' ancestors (items alone) is completed in
  // place. Errors: ResourceExhausted (cannot be made or locked, no room), DataLoss (damaged, or of a newer schema version: nothing is
  // changed then but RocksDB's own files).
  static absl::StatusOr<std::unique_ptr<StoreDatabase>> open(const std::string& folder, const StoreDatabaseOptions& options = {});
  // The store as it is now, to read alone, beside a server that has it open and goes on writing. What is written later does not appear.
  // Nothing is locked and nothing written. Errors: NotFound (there is no store), those of open().
  static absl::StatusOr<std::unique_ptr<StoreDatabase>> open_snapshot(const std::string& folder);
  ~StoreDatabase();
  StoreDatabase(const StoreDatabase&) = delete;
  StoreDatabase& operator=(const StoreDatabase&) = delete;

  rocksdb::DB& rocks() const { return *db_; }
  // nullptr: a snapshot of a store that an older program has made, which lacks kAnswers, or kMerges or kErasures too.
  rocksdb::ColumnFamilyHandle* family(Family family) const { return families_[static_cast<size_t>(family)]; }

  // Random, given when the store was made: tells one store's sequence numbers from another's. Empty in a snapshot of a store that no server
  // has opened since there are identities.
  const std::string& identity() const { return identity_; }
  // How long an event id is remembered, in whole seconds.
  absl::Duration event_id_window() const { return absl::Seconds(window_->load()); }

  // Writes what is in memory to sorted files, so that the log holds nothing any more. Errors: ResourceExhausted, DataLoss, Internal.
  absl::Status flush();

  // Durable when it returns Ok; else the database is as before. Errors: ResourceExhausted (no room, or the disk fails; tried again at most
  // every kResumeInterval), DataLoss, Internal.
  absl::Status write(rocksdb::WriteBatch& batch);

  static constexpr std::chrono::milliseconds kResumeInterval{200};

 private:
  explicit StoreDatabase(const StoreDatabaseOptions& options);
  absl::Status open_families(const std::string& folder, bool snapshot);
  absl::Status check_format(const std::string& folder, bool snapshot);
  absl::Status read_identity(bool snapshot);
  absl::Status settle_event_id_window(bool snapshot);
  absl::Status check_room() const;
  absl::Status keep_something_to_write_out();
  absl::Status go_on();

  const StoreDatabaseOptions options_;
  // Compaction drops what is over only after the schema version is known to be ours.
  const std::shared_ptr<std::atomic<bool>> may_expire_ = std::make_shared<std::atomic<bool>>(false);
  const std::shared_ptr<std::atomic<int64_t>> window_ = std::make_shared<std::atomic<int64_t>>(0);  // seconds; known before may_expire_
  std::shared_ptr<rocksdb::Cache> cache_;
  std::string identity_;
  std::unique_ptr<rocksdb::Env> frozen_;  // of a snapshot: FrozenFiles
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount> families_{};
  std::atomic<bool> failed_{false};  // the last write did
  std::mutex resuming_;              // guards resumed_at_
  std::chrono::steady_clock::time_point resumed_at_{};
};

// 128 random bits as hexadecimal text.
std::string random_text();

// Errors: NotFound (nothing in `folder` looks like a store).
absl::Status check_is_store(const std::string& folder);

// As the server says it: DataLoss (damaged), ResourceExhausted (no room, locked, the disk fails), Internal.
absl::Status of_rocks(const rocksdb::Status& status);

}  // namespace bouquet::server
