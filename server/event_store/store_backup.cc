#include "server/event_store/store_backup.h"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/utilities/backup_engine.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/errors.h"
#include "engine/file_access.h"
#include "server/event_store/later_erasures.h"
#include "server/event_store/store_check.h"
#include "server/event_store/store_counters.h"

namespace bouquet::server {
namespace {

namespace fs = std::filesystem;

constexpr size_t kIdentityChars = 32;
constexpr uint64_t kReserveBytes = uint64_t{96} << 20;  // as the store leaves free, which may stand on the same disk

rocksdb::BackupEngineOptions engine_options(const std::string& folder) {
  rocksdb::BackupEngineOptions options(folder);
  options.share_table_files = true;
  options.share_files_with_checksum = true;
  options.sync = true;
  return options;
}

std::string metadata_of(const StoreDatabase& database, uint64_t sequence) { return absl::StrCat(database.identity(), " ", sequence); }

absl::StatusOr<Backup> backup_of(const rocksdb::BackupInfo& info) {
  Backup backup{.number = info.backup_id, .time = info.timestamp, .bytes = info.size, .store_identity = {}, .sequence = 0};
  const std::string& said = info.app_metadata;
  if (said.size() < kIdentityChars + 2 || said[kIdentityChars] != ' ' ||
      !absl::SimpleAtoi(said.substr(kIdentityChars + 1), &backup.sequence))
    return bad_input("backup " + std::to_string(info.backup_id) + " does not say what it is of: it is damaged, or another program's");
  backup.store_identity = said.substr(0, kIdentityChars);
  return backup;
}

absl::Status in_folder(const std::string& folder, const absl::Status& status) {
  return status.ok() ? status : absl::Status(status.code(), "the backups in " + folder + ": " + std::string(message_of(status)));
}

absl::Status in_folder(const std::string& folder, const rocksdb::Status& status) { return in_folder(folder, of_rocks(status)); }

absl::StatusOr<std::unique_ptr<rocksdb::BackupEngineReadOnly>> open_to_read(const std::string& folder) {
  if (!fs::is_directory(fs::path(folder) / "meta")) return missing_input(folder + ": there are no backups");
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  const rocksdb::Status opened = rocksdb::BackupEngineReadOnly::Open(engine_options(folder), rocksdb::Env::Default(), &engine);
  if (!opened.ok()) return in_folder(folder, opened);
  return std::unique_ptr<rocksdb::BackupEngineReadOnly>(engine);
}

// A backup that cannot be read is an error, and not left out: the newest of the others would pass for the newest.
template <typename Engine>
absl::StatusOr<std::vector<Backup>> backups_of(const Engine& engine) {
  std::vector<rocksdb::BackupID> damaged;
  engine.GetCorruptedBackups(&damaged);
  if (!damaged.empty()) return bad_input("damaged, or files of it are missing: " + absl::StrJoin(damaged, ", "));
  std::vector<rocksdb::BackupInfo> infos;
  engine.GetBackupInfo(&infos);
  std::vector<Backup> backups;
  for (const rocksdb::BackupInfo& info : infos) {
    auto backup = backup_of(info);
    if (!backup.ok()) return backup.status();
    backups.push_back(*std::move(backup));
  }
  std::ranges::sort(backups, {}, &Backup::number);
  return backups;
}

bool has_room(const std::string& folder) {
  std::error_code failed;
  const fs::space_info space = fs::space(folder, failed);
  return failed || space.available >= kReserveBytes;
}

absl::Status sync_file(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  return synced ? absl::OkStatus() : no_resource(path.string() + " cannot be synced");
}

absl::Status sync_all(const fs::path& folder) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failed))
    if (absl::Status s = sync_file(entry.path()); !s.ok()) return s;
  return failed ? no_resource(folder.string() + ": " + failed.message()) : sync_directory(folder.string());
}

absl::Status check_empty(const fs::path& store) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(store, ignored)) && (!fs::is_directory(store, ignored) || !fs::is_empty(store, ignored)))
    return wrong_usage("--store " + store.string() + " is there and not an empty folder: name one that is not there yet");
  return absl::OkStatus();
}

absl::Status give_new_identity(const std::string& folder) {
  auto database = StoreDatabase::open(folder);
  if (!database.ok()) return database.status();
  rocksdb::WriteBatch batch;
  batch.Delete(kIdentityKey);
  if (absl::Status s = (*database)->write(batch); !s.ok()) return s;
  database->reset();
  return StoreDatabase::open(folder).status();
}

absl::Status check_contents(const std::string& folder, const Backup& backup) {
  const auto check = check_store(folder);
  if (!check.ok()) return check.status();
  if (check->problem_count > 0) return bad_input("what was backed up is damaged: " + check->problems.front());
  if (check->identity != backup.store_identity || check->newest_sequence < backup.sequence)
    return bad_input("backup " + std::to_string(backup.number) + " holds another store, or less, than it says");
  return absl::OkStatus();
}

// Goes with this, unless it was moved to where it belongs.
class UnfinishedStore {
 public:
  explicit UnfinishedStore(fs::path path) : path_(std::move(path)) {}
  ~UnfinishedStore() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  UnfinishedStore(const UnfinishedStore&) = delete;
  UnfinishedStore& operator=(const UnfinishedStore&) = delete;
  const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
};

// Verifies first. `number` is of a backup in `engine`.
absl::StatusOr<Backup> verified(const std::string& folder, const rocksdb::BackupEngineReadOnly& engine, uint32_t number) {
  const auto backups = backups_of(engine);
  if (!backups.ok()) return in_folder(folder, backups.status());
  if (backups->empty()) return missing_input(folder + ": there are no backups");
  const auto at = number == 0 ? backups->end() - 1 : std::ranges::find(*backups, number, &Backup::number);
  if (at == backups->end()) return missing_input(folder + ": there is no backup " + std::to_string(number));
  if (const rocksdb::Status s = engine.VerifyBackup(at->number, true); !s.ok()) {
    const bool disk = s.IsIOError() && !s.IsPathNotFound();
    return in_folder(folder, disk ? of_rocks(s) : bad_input("backup " + std::to_string(at->number) + ": " + s.ToString()));
  }
  return *at;
}

// As it was, every entry read.
absl::Status restore_files(const rocksdb::BackupEngineReadOnly& engine, const Backup& backup, const std::string& made) {
  if (const rocksdb::Status s = engine.RestoreDBFromBackup(backup.number, made, made); !s.ok()) return of_rocks(s);
  if (absl::Status s = sync_all(made); !s.ok()) return s;
  return check_contents(made, backup);
}

absl::Status check(const LaterErasures& erasures) {
  if (erasures.store.empty() == erasures.from_backups_alone) return absl::OkStatus();
  return wrong_usage(
      "customers who were erased after the backup would come back: name the store that it was taken of, a running server's too, with "
      "--erasures-from; if that is lost, say --without-newer-erasures, and erase again who was erased after the newest backup");
}

absl::StatusOr<int64_t> erase_as(const StoreDatabase& later, const std::string& restored_folder) {
  auto restored = StoreDatabase::open(restored_folder);
  if (!restored.ok()) return restored.status();
  return erase_again(**restored, later);
}

absl::StatusOr<int64_t> erase_as_newest_backup(const std::string& folder, const rocksdb::BackupEngineReadOnly& engine, const Backup& backup,
                                               const std::string& restored) {
  const auto newest = verified(folder, engine, 0);
  if (!newest.ok()) return newest.status();
  if (newest->number == backup.number) return 0;
  const UnfinishedStore unfinished(restored + ".newest");
  const std::string made = unfinished.path().string();
  if (absl::Status s = restore_files(engine, *newest, made); !s.ok()) return in_folder(folder, s);
  const auto later = StoreDatabase::open_snapshot(made);
  if (!later.ok()) return later.status();
  return erase_as(**later, restored);
}

absl::StatusOr<int64_t> erase_as_store(const Backup& newest, const std::string& store, const std::string& restored) {
  const auto later = StoreDatabase::open_snapshot(store);
  if (!later.ok()) return later.status();
  if ((*later)->identity() != newest.store_identity)
    return absl::FailedPreconditionError("is not the store that the backup was taken of (a restored one counts as another)");
  const auto counters = read_counters(**later);
  if (!counters.ok()) return counters.status();
  if (counters->sequence < newest.sequence)
    return absl::FailedPreconditionError("ends at arrival " + std::to_string(counters->sequence) + ", and backup " +
                                         std::to_string(newest.number) + " at " + std::to_string(newest.sequence) +
                                         ": it is an older copy, which may lack erasures");
  return erase_as(**later, restored);
}

absl::StatusOr<int64_t> erase_who_was_since(const std::string& folder, const rocksdb::BackupEngineReadOnly& engine, const Backup& backup,
                                            const LaterErasures& erasures, const std::string& restored) {
  if (erasures.store.empty()) return erase_as_newest_backup(folder, engine, backup, restored);
  const auto backups = backups_of(engine);
  if (!backups.ok()) return in_folder(folder, backups.status());
  auto erased = erase_as_store(backups->back(), erasures.store, restored);
  if (erased.ok()) return erased;
  return absl::Status(erased.status().code(), "--erasures-from " + erasures.store + ": " + std::string(message_of(erased.status())));
}

}  // namespace

absl::StatusOr<Backup> back_up(StoreDatabase& database, const std::string& folder, const std::atomic<bool>* stop) {
  rocksdb::BackupEngine* opened_engine = nullptr;
  const rocksdb::Status opened = rocksdb::BackupEngine::Open(engine_options(folder), rocksdb::Env::Default(), &opened_engine);
  if (!opened.ok()) return in_folder(folder, opened);
  const std::unique_ptr<rocksdb::BackupEngine> engine(opened_engine);
  const absl::Status stopped = absl::CancelledError("the backup was stopped");
  if (stop != nullptr && stop->load()) return stopped;
  const auto before = backups_of(*engine);
  if (!before.ok()) return in_folder(folder, before.status());
  if (!before->empty() && before->back().store_identity != database.identity())
    return absl::FailedPreconditionError("the backups in " + folder +
                                         " are of another store (a restored one counts as another): " + "name another folder");
  const auto counters = read_counters(database);
  if (!counters.ok()) return counters.status();
  rocksdb::CreateBackupOptions options;
  // What is in memory goes to sorted files, which the next backup need not copy again; without it the log would be copied every time.
  options.flush_before_backup = true;
  if (absl::Status s = database.flush(); !s.ok()) return s;  // which, unlike RocksDB, leaves room on the disk
  const absl::Status full = no_resource("the backups in " + folder + ": fewer than " + std::to_string(kReserveBytes >> 20) +
                                        " MiB of the disk are free: make room, or name a folder on another one");
  if (!has_room(folder)) return full;
  bool out_of_room = false;
  options.progress_callback = [&] {
    out_of_room = out_of_room || !has_room(folder);
    if (out_of_room || (stop != nullptr && stop->load())) engine->StopBackup();
  };
  rocksdb::BackupID number = 0;
  const rocksdb::Status made =
      engine->CreateNewBackupWithMetadata(options, &database.rocks(), metadata_of(database, counters->sequence), &number);
  if (made.IsIncomplete()) return out_of_room ? full : stopped;
  if (!made.ok()) return in_folder(folder, made);
  rocksdb::BackupInfo info;
  if (const rocksdb::Status found = engine->GetBackupInfo(number, &info); !found.ok()) return in_folder(folder, found);
  return backup_of(info);
}

absl::StatusOr<std::vector<Backup>> list_backups(const std::string& folder) {
  const auto engine = open_to_read(folder);
  if (!engine.ok()) return engine.status();
  auto backups = backups_of(**engine);
  if (!backups.ok()) return in_folder(folder, backups.status());
  return backups;
}

absl::StatusOr<Backup> verify_backup(const std::string& folder, uint32_t number) {
  const auto engine = open_to_read(folder);
  if (!engine.ok()) return engine.status();
  return verified(folder, **engine, number);
}

absl::StatusOr<Restored> restore_backup(const std::string& folder, uint32_t number, const std::string& store,
                                        const LaterErasures& erasures) {
  if (absl::Status s = check(erasures); !s.ok()) return s;
  const fs::path target = fs::absolute(store).lexically_normal();
  const fs::path place = target.has_filename() ? target : target.parent_path();
  if (absl::Status s = check_empty(place); !s.ok()) return s;
  const auto engine = open_to_read(folder);
  if (!engine.ok()) return engine.status();
  const auto backup = verified(folder, **engine, number);
  if (!backup.ok()) return backup.status();
  std::error_code failed;
  fs::create_directories(place.parent_path(), failed);
  const UnfinishedStore unfinished(place.string() + ".restoring-" + std::to_string(::getpid()));
  const std::string made = unfinished.path().string();
  if (absl::Status s = restore_files(**engine, *backup, made); !s.ok()) return in_folder(folder, s);
  const auto erased = erase_who_was_since(folder, **engine, *backup, erasures, made);
  if (!erased.ok()) return erased.status();
  if (absl::Status s = give_new_identity(made); !s.ok()) return s;
  if (absl::Status s = sync_all(made); !s.ok()) return s;
  fs::rename(unfinished.path(), place, failed);
  if (failed) return no_resource("--store " + store + " cannot be made: " + failed.message());
  if (absl::Status s = sync_directory(place.parent_path().string()); !s.ok()) return s;
  return Restored{*backup, *erased};
}

absl::StatusOr<Backup> verify_restored(const std::string& folder, uint32_t number, const std::string& scratch) {
  const auto engine = open_to_read(folder);
  if (!engine.ok()) return engine.status();
  const auto backup = verified(folder, **engine, number);
  if (!backup.ok()) return backup.status();
  const UnfinishedStore restored(fs::path(scratch) / "store");
  if (absl::Status s = restore_files(**engine, *backup, restored.path().string()); !s.ok()) return in_folder(folder, s);
  return *backup;
}

}  // namespace bouquet::server
