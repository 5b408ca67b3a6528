// Makes the bytes of erased customers leave the store's files, in the background. An erasure deletes keys; their bytes stand in the log and
// in sorted files until these are written anew.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "server/event_store/durable_listener.h"
#include "server/event_store/erasure_table.h"
#include "server/event_store/store_database.h"
#include "server/event_store/stored_event.h"

namespace bouquet::server {

struct ErasedFilesOptions {
  // From an erasure to the pass that takes care of it and of all that have come by then. After a pass at least kRestFactor times as long as
  // it took.
  std::chrono::milliseconds gather{60'000};
  std::function<absl::Time()> clock = absl::Now;
};

// Thread-safe.
class ErasedFiles {
 public:
  static constexpr int kRestFactor = 20;

  // `database` outlives the result. Begins with what was left over when the store was open last. Errors: those of read_receipts.
  static absl::StatusOr<std::unique_ptr<ErasedFiles>> start(StoreDatabase& database, const ErasedFilesOptions& options = {});
  // A pass that is under way is finished first.
  ~ErasedFiles();

  // There are more.
  void add(std::span<const DurableErasure> erasures);

  // No pass runs, and so none takes files away, while the result is held. Not owned: `stop` turned true before the pass that is under way
  // had ended.
  std::unique_lock<std::timed_mutex> hold_files(const std::atomic<bool>& stop);

  // Erasures whose bytes some file may have.
  int64_t pending() const;
  // How the last pass went; Ok before the first. What failed is tried again.
  absl::Status last_pass() const;

 private:
  using Erasures = std::map<uint64_t, std::vector<CustomerNumber>>;  // by sequence

  ErasedFiles(StoreDatabase& database, const ErasedFilesOptions& options) : database_(database), options_(options) {}
  void run();
  absl::Status pass(const Erasures& erasures);
  absl::Status mark_gone(const Erasures& erasures);

  StoreDatabase& database_;
  const ErasedFilesOptions options_;
  std::timed_mutex files_;  // held by a pass, and by hold_files()
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Erasures pending_;
  absl::Status last_pass_;
  bool ending_ = false;
  std::thread worker_;
};

}  // namespace bouquet::server
