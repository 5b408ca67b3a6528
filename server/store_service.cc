#include "server/store_service.h"

#include <utility>

#include "server/event_store/store_backup.h"
#include "server/event_store/store_figures.h"
#include "server/log.h"
#include "server/status_mapping.h"
#include "server/timestamps.h"

namespace bouquet::server {

class StoreService::Call final : public grpc::ServerUnaryReactor {
 public:
  void OnCancel() override { stop_.store(true); }
  void OnDone() override { delete this; }
  std::atomic<bool>& stop() { return stop_; }

 private:
  std::atomic<bool> stop_{false};
};

StoreService::~StoreService() {
  if (worker_.joinable()) worker_.join();
}

StoreService::Call* StoreService::start(Work work) {
  auto* call = new Call;
  if (absl::Status s = run(call, std::move(work)); !s.ok()) call->Finish(to_grpc(s));
  return call;
}

absl::Status StoreService::run(Call* call, Work work) {
  if (database_ == nullptr) return absl::FailedPreconditionError("the server keeps no store: start it with --store DIR");
  const std::lock_guard lock(mutex_);
  if (running_) return absl::AbortedError("another call of this service runs: try again when it has ended");
  running_ = true;
  if (worker_.joinable()) worker_.join();  // it is answering, or has
  worker_ = std::thread([this, call, work = std::move(work)] {
    const absl::Status done = work(call->stop());
    {
      const std::lock_guard ended(mutex_);
      running_ = false;  // first: who has the answer may call again
    }
    call->Finish(to_grpc(done));
  });
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* StoreService::BackUp(grpc::CallbackServerContext*, const v1::BackUpRequest*, v1::BackUpResponse* response) {
  return start([this, response](std::atomic<bool>& stop) { return back_up_store(stop, response); });
}

grpc::ServerUnaryReactor* StoreService::GetStats(grpc::CallbackServerContext*, const v1::GetStatsRequest*, v1::StoreStats* response) {
  return start([this, response](std::atomic<bool>& stop) { return read_stats(stop, response); });
}

grpc::ServerUnaryReactor* StoreService::Compact(grpc::CallbackServerContext*, const v1::CompactRequest*, v1::CompactResponse* response) {
  return start([this, response](std::atomic<bool>& stop) { return compact_store(stop, response); });
}

absl::Status StoreService::back_up_store(std::atomic<bool>& stop, v1::BackUpResponse* response) {
  if (backups_.empty()) return absl::FailedPreconditionError("the server has no folder for backups: start it with --backups DIR");
  const auto held = erased_->hold_files(stop);
  if (!held.owns_lock()) return absl::CancelledError("the backup was stopped");
  const auto backup = back_up(*database_, backups_, &stop);
  if (!backup.ok()) return backup.status();
  response->set_number(backup->number);
  *response->mutable_create_time() = timestamp(backup->time * 1'000'000);
  response->set_bytes(static_cast<int64_t>(backup->bytes));
  response->set_profile_version(static_cast<int64_t>(backup->sequence));
  log_event(LogLevel::kInfo, "store.backed_up",
            {{"backup", std::to_string(backup->number)},
             {"bytes", std::to_string(backup->bytes)},
             {"sequence", std::to_string(backup->sequence)}});
  return absl::OkStatus();
}

absl::Status StoreService::read_stats(std::atomic<bool>& stop, v1::StoreStats* response) const {
  const auto figures = read_figures(*database_, &stop);
  if (!figures.ok()) return figures.status();
  response->set_identity(database_->identity());
  response->set_events(static_cast<int64_t>(figures->events));
  response->set_customers(static_cast<int64_t>(figures->customers));
  response->set_items(static_cast<int64_t>(figures->items));
  response->set_event_types(static_cast<int64_t>(figures->event_types));
  response->set_merges(static_cast<int64_t>(figures->merges));
  response->set_answers(static_cast<int64_t>(figures->answers));
  response->set_profile_version(static_cast<int64_t>(figures->newest_sequence));
  response->set_event_id_seconds(static_cast<int64_t>(figures->event_id_seconds));
  response->set_table_bytes(static_cast<int64_t>(figures->table_bytes));
  response->set_log_bytes(static_cast<int64_t>(figures->log_bytes));
  if (figures->events == 0) return absl::OkStatus();
  *response->mutable_oldest_event_time() = timestamp(figures->oldest_time);
  *response->mutable_newest_event_time() = timestamp(figures->newest_time);
  return absl::OkStatus();
}

absl::Status StoreService::compact_store(std::atomic<bool>& stop, v1::CompactResponse* response) {
  const uint64_t before = table_bytes(*database_);
  if (absl::Status s = compact(*database_, &stop); !s.ok()) return s;
  const uint64_t after = table_bytes(*database_);
  response->set_bytes_before(static_cast<int64_t>(before));
  response->set_bytes_after(static_cast<int64_t>(after));
  log_event(LogLevel::kInfo, "store.compacted", {{"bytes_before", std::to_string(before)}, {"bytes", std::to_string(after)}});
  return absl::OkStatus();
}

}  // namespace bouquet::server
