// One StreamEvents stream: messages go to the store while few of them are unanswered, and are answered in order.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "server/batcher.h"
#include "server/event_intake.h"
#include "server/metrics.h"

namespace bouquet::server {

class StreamEventsCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // Messages that are read and not answered yet.
  static constexpr size_t kWindow = 4;

  // The call deletes itself when gRPC is done with it.
  static grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* start(EventIntake& intake, Metrics& metrics);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  struct Message;

  StreamEventsCall(EventIntake& intake, Metrics& metrics);
  ~StreamEventsCall() override;
  void submit(Message& message);
  void answered(Message& message, const absl::Status& status);
  void advance();
  void end(const absl::Status& status);

  EventIntake& intake_;
  Metrics& metrics_;
  const TimePoint arrived_ = Clock::now();
  grpc::ByteBuffer in_;
  int64_t read_ = 0;
  // Guards what follows. No operation of gRPC is started under it, since that may call back at once.
  std::mutex mutex_;
  std::deque<std::unique_ptr<Message>> messages_;  // unanswered, oldest first
  bool reading_ = false, writing_ = false, read_everything_ = false, ended_ = false;
};

}  // namespace bouquet::server
