// What `bouquet store --server` asks a running server: its Store service, on the admin listener.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bouquet/v1/store.grpc.pb.h"
#include "server/event_store/store_backup.h"
#include "server/event_store/store_figures.h"

namespace bouquet::cli {

struct CompactedBytes {
  uint64_t before = 0, after = 0;  // of sorted files
};

// Calls take as long as the server does; one that is killed ends its work there too. Errors: Unavailable (nobody listens there; another
// call of the service runs), and what the server says.
class StoreServer {
 public:
  // `address`: host:port or unix:PATH of --admin-grpc.
  static absl::StatusOr<StoreServer> connect(const std::string& address);

  // Without the store's identity.
  absl::StatusOr<server::Backup> back_up();
  absl::StatusOr<server::StoreFigures> figures();
  absl::StatusOr<CompactedBytes> compact();

 private:
  explicit StoreServer(std::unique_ptr<bouquet::v1::Store::Stub> stub) : stub_(std::move(stub)) {}

  std::unique_ptr<bouquet::v1::Store::Stub> stub_;
};

}  // namespace bouquet::cli
