// bouquet.v1.Store: backups, figures and compaction of the store while the server goes on. Served on the admin listener alone.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "bouquet/v1/store.grpc.pb.h"
#include "server/event_store/erased_files.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

// Thread-safe. One call at a time, on a thread of its own; others are Aborted. One whose caller goes away ends early.
class StoreService final : public v1::Store::CallbackService {
 public:
  // What is passed outlives the service; nullptr both: the server keeps no store, and every call is FailedPrecondition. `backups`: the
  // folder where they go; empty: none, and BackUp is FailedPrecondition.
  StoreService(StoreDatabase* database, ErasedFiles* erased, std::string backups)
      : database_(database), erased_(erased), backups_(std::move(backups)) {}
  // After the listener: no call is left.
  ~StoreService() override;

  grpc::ServerUnaryReactor* BackUp(grpc::CallbackServerContext* context, const v1::BackUpRequest* request,
                                   v1::BackUpResponse* response) override;
  grpc::ServerUnaryReactor* GetStats(grpc::CallbackServerContext* context, const v1::GetStatsRequest* request,
                                     v1::StoreStats* response) override;
  grpc::ServerUnaryReactor* Compact(grpc::CallbackServerContext* context, const v1::CompactRequest* request,
                                    v1::CompactResponse* response) override;

 private:
  class Call;
  using Work = std::function<absl::Status(std::atomic<bool>& stop)>;

  Call* start(Work work);
  absl::Status run(Call* call, Work work);
  absl::Status back_up_store(std::atomic<bool>& stop, v1::BackUpResponse* response);
  absl::Status read_stats(std::atomic<bool>& stop, v1::StoreStats* response) const;
  absl::Status compact_store(std::atomic<bool>& stop, v1::CompactResponse* response);

  StoreDatabase* const database_;
  ErasedFiles* const erased_;
  const std::string backups_;
  std::mutex mutex_;
  bool running_ = false;
  std::thread worker_;  // of the last call
};

}  // namespace bouquet::server
