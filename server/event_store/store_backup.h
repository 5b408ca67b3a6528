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

// Thread-safe for the store; one caller at a time for a folder, which is made if there is none. Everything is synced when it returns.
// `stop` turned true ends it early with Cancelled and leaves nothing of the backup; one that is nearly done may be completed. Errors:
// FailedPrecondition (the folder holds another store's backups), ResourceExhausted (no room), DataLoss.
absl::StatusOr<Backup> back_up(StoreDatabase& database, const std::string& folder, const std::atomic<bool>* stop = nullptr);

// By number. Errors: NotFound (no backups there), DataLoss (one of them cannot be read; the message says which).
absl::StatusOr<std::vector<Backup>> list_backups(const std::string& folder);

// Reads the whole backup and compares all checksums. `number` 0: the newest. Errors: those of list_backups(), NotFound (no such number),
// DataLoss (a file is missing or changed).
absl::StatusOr<Backup> verify_backup(const std::string& folder, uint32_t number);

// Makes the store that a backup was taken of. Nothing stands under `store` before all of it is verified, entry by entry, and synced. The
// store gets an identity of its own: it will number other arrivals as the old one did, and a model that was trained on the old one must not
// take them for those it knows. `store` must not exist or be an empty folder (InvalidArgument). Other errors: as verify_backup(),
// ResourceExhausted.
absl::StatusOr<Backup> restore_backup(const std::string& folder, uint32_t number, const std::string& store);

}  // namespace bouquet::server
