#include "cli/store_server.h"

#include <grpcpp/grpcpp.h>

#include "engine/errors.h"
#include "server/client_channel.h"
#include "server/status_mapping.h"
#include "server/timestamps.h"

namespace bouquet::cli {
namespace {

constexpr int32_t kConnectMs = 5000;

// Aborted is another exit code, of trainings.
absl::Status said(const grpc::Status& status) {
  absl::Status answer = server::from_grpc(status);
  if (answer.code() == absl::StatusCode::kAborted) return absl::UnavailableError(answer.message());
  if (answer.code() == absl::StatusCode::kUnimplemented)
    return wrong_usage("--server: there is no Store service at that address; it is on the server's --admin-grpc");
  return answer;
}

}  // namespace

absl::StatusOr<StoreServer> StoreServer::connect(const std::string& address) {
  auto channel = server::open_channel(address, kConnectMs);
  if (!channel.ok()) return channel.status();
  return StoreServer(bouquet::v1::Store::NewStub(*std::move(channel)));
}

absl::StatusOr<server::Backup> StoreServer::back_up() {
  grpc::ClientContext context;
  bouquet::v1::BackUpResponse made;
  if (absl::Status s = said(stub_->BackUp(&context, {}, &made)); !s.ok()) return s;
  return server::Backup{.number = made.number(),
                        .time = made.create_time().seconds(),
                        .bytes = static_cast<uint64_t>(made.bytes()),
                        .store_identity = {},
                        .sequence = static_cast<uint64_t>(made.profile_version())};
}

absl::StatusOr<server::StoreFigures> StoreServer::figures() {
  grpc::ClientContext context;
  bouquet::v1::StoreStats stats;
  if (absl::Status s = said(stub_->GetStats(&context, {}, &stats)); !s.ok()) return s;
  return server::StoreFigures{.events = static_cast<uint64_t>(stats.events()),
                              .customers = static_cast<uint64_t>(stats.customers()),
                              .items = static_cast<uint64_t>(stats.items()),
                              .event_types = static_cast<uint64_t>(stats.event_types()),
                              .merges = static_cast<uint64_t>(stats.merges()),
                              .answers = static_cast<uint64_t>(stats.answers()),
                              .newest_sequence = static_cast<uint64_t>(stats.profile_version()),
                              .event_id_seconds = static_cast<uint64_t>(stats.event_id_seconds()),
                              .table_bytes = static_cast<uint64_t>(stats.table_bytes()),
                              .log_bytes = static_cast<uint64_t>(stats.log_bytes()),
                              .oldest_time = server::microseconds(stats.oldest_event_time()),
                              .newest_time = server::microseconds(stats.newest_event_time())};
}

absl::StatusOr<CompactedBytes> StoreServer::compact() {
  grpc::ClientContext context;
  bouquet::v1::CompactResponse done;
  if (absl::Status s = said(stub_->Compact(&context, {}, &done)); !s.ok()) return s;
  return CompactedBytes{static_cast<uint64_t>(done.bytes_before()), static_cast<uint64_t>(done.bytes_after())};
}

}  // namespace bouquet::cli
