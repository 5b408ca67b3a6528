// One ExportCustomer stream: the profile comes through the queue as for GetProfile, everything else from the store.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>

#include "server/batcher.h"
#include "server/customer_record.h"
#include "server/metrics.h"

namespace bouquet::server {

class ExportCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // Reads the request and begins. What `known` has outlives the call. The call deletes itself when gRPC is done with it.
  static grpc::ServerWriteReactor<grpc::ByteBuffer>* start(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in,
                                                           const KnownOfCustomers& known, Batcher& batcher, Metrics& metrics);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { cancelled_.store(true, std::memory_order_relaxed); }
  void OnDone() override { delete this; }

 private:
  class ProfileJob;

  ExportCall(const KnownOfCustomers& known, Metrics& metrics) : known_(known), metrics_(metrics) {}
  void read_store(const absl::Status& answered);
  void write_next();
  void end(const absl::Status& status);

  const KnownOfCustomers known_;
  Metrics& metrics_;
  const TimePoint arrived_ = Clock::now();
  v1::ExportCustomerRequest request_;
  v1::GetProfileRequest profile_request_;
  v1::Profile profile_;
  CustomerRecord record_;
  std::atomic<bool> cancelled_{false};
  grpc::ByteBuffer message_;  // alive while it is written
};

}  // namespace bouquet::server
