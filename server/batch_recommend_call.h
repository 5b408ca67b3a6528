// One BatchRecommend stream: its requests go through the queue in windows, its answers come back in order.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/slice.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "bouquet/v1/recommendations.pb.h"
#include "server/batcher.h"
#include "server/call_messages.h"
#include "server/metrics.h"

namespace bouquet::server {

class BatchRecommendCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // Requests of one stream that wait or are executed at a time: a long stream must not fill the queue by itself.
  static constexpr int kWindow = 64;

  // Reads the request and begins. The call deletes itself when gRPC is done with it.
  static grpc::ServerWriteReactor<grpc::ByteBuffer>* start(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in,
                                                           Batcher& batcher, Metrics& metrics);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { cancelled_.store(true, std::memory_order_relaxed); }
  void OnDone() override { delete this; }

 private:
  class Element;

  BatchRecommendCall(grpc::CallbackServerContext* context, Batcher& batcher, Metrics& metrics)
      : context_(context), batcher_(batcher), metrics_(metrics) {}

  void submit_window();
  void element_done();
  void write_next();
  void end(const absl::Status& status);

  grpc::CallbackServerContext* const context_;
  Batcher& batcher_;
  Metrics& metrics_;
  const TimePoint arrived_ = Clock::now();
  TimePoint deadline_ = TimePoint::max();
  v1::BatchRecommendRequest request_;
  grpc::Slice bytes_;                  // what parts_ borrows from; stays where it is
  std::vector<BatchedRequest> parts_;  // of each request what is not in its message
  int first_ = 0;                      // of the window
  int written_ = 0;                    // of the window
  std::vector<v1::RecommendResponse> responses_;
  std::vector<absl::Status> statuses_;
  std::atomic<int> outstanding_{0};
  std::atomic<bool> cancelled_{false};
  grpc::ByteBuffer message_;  // alive while it is written
};

}  // namespace bouquet::server
