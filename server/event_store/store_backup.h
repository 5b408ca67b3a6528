// Backups of a store: taken while it is written to, incremental (sorted files that an earlier backup has are not copied again), a checksum
// for every file. A backup folder holds the backups of one store, numbered from 1.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

struct Backup {
  uint32_t number = 0;
  int64_t time = 0;            // when it began: seconds since 1970
  uint64_t bytes = 0;          // of its files, those that it shares with other backups included
  std::string store_identity;  // StoreDatabase::identity() of the store
  // Everything that was acknowledged up to this one is in it; what came while it was taken may be.
  uint64_t sequence = 0;
};

// Thread-safe for the store, but for an ErasedFiles, whose files are to be held (ErasedFiles::hold_files); one caller at a time for a
// folder, which is made if there is none. Everything is synced when it returns. Leaves 96 MiB of the
// folder's disk free.
// `stop` turned true ends it early with Cancelled and leaves nothing of the backup; one that is nearly done may be completed. Errors:
// FailedPrecondition (the folder holds another store's backups), ResourceExhausted (no room), DataLoss.
absl::StatusOr<Backup> back_up(StoreDatabase& database, const std::string& folder, const std::atomic<bool>* stop = nullptr);

// By number. Errors: NotFound (no backups there), DataLoss (one of them cannot be read; the message says which).
absl::StatusOr<std::vector<Backup>> list_backups(const std::string& folder);

// Reads the whole backup and compares all checksums. `number` 0: the newest. Errors: those of list_backups(), NotFound (no such number),
// DataLoss (a file is missing or changed).
absl::StatusOr<Backup> verify_backup(const std::string& folder, uint32_t number);

// Where a restored store learns who was erased after its backup was taken: exactly one of the two.
struct LaterErasures {
  // The store that the backup was taken of; a server may have it open. It has to be at least as new as the newest backup.
  std::string store;
  // That store is lost: what the newest backup knows has to do. Who was erased after that one comes back.
  bool from_backups_alone = false;
};

struct Restored {
  Backup backup;
  int64_t erased_again = 0;  // customers
};

// Makes the store that a backup was taken of, without the customers who were erased since. Nothing stands under `store` before all of it is
// verified, entry by entry, and synced. The store gets an identity of its own: it will number other arrivals as the old one did, and a
// model that was trained on the old one must not take them for those it knows. `store` must not exist or be an empty folder, and `erasures`
// must say something (InvalidArgument). Other errors: as verify_backup(); FailedPrecondition (`erasures.store` is another store, or an
// older copy), ResourceExhausted. Needs room for the newest backup too if that is another one.
absl::StatusOr<Restored> restore_backup(const std::string& folder, uint32_t number, const std::string& store,
                                        const LaterErasures& erasures);

// As verify_backup(), and reads every entry of it, restored in `scratch`, an empty folder where it leaves nothing.
absl::StatusOr<Backup> verify_restored(const std::string& folder, uint32_t number, const std::string& scratch);

}  // namespace bouquet::server
