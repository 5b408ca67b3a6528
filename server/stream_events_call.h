// One StreamEvents stream: messages go to the store while few answers are to be made or to be read, and are answered in order.
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
#include "server/unread_answers.h"

namespace bouquet::server {

class StreamEventsCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>, private UnreadAnswers::Stream {
 public:
  // Messages that are read and whose answers the caller has not read yet.
  static constexpr size_t kWindow = 4;

  // The call deletes itself when gRPC is done with it; what it is given outlives it.
  static grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* start(grpc::CallbackServerContext* context, EventIntake& intake,
                                                                            UnreadAnswers& unread, Metrics& metrics);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  struct Work;
  struct Message;

  StreamEventsCall(grpc::CallbackServerContext* context, EventIntake& intake, UnreadAnswers& unread, Metrics& metrics);
  ~StreamEventsCall() override;
  void hold() override;
  void give_up() override;
  void submit(Message& message);
  void answered(Message& message, const absl::Status& status);
  void advance(std::unique_lock<std::mutex> lock);
  void end(const absl::Status& status);

  grpc::CallbackServerContext* const context_;
  EventIntake& intake_;
  UnreadAnswers& unread_;
  Metrics& metrics_;
  const TimePoint arrived_ = Clock::now();
  grpc::ByteBuffer in_;
  int64_t read_ = 0;
  // Guards what follows. No operation of gRPC is started under it, since that may call back at once.
  std::mutex mutex_;
  std::deque<std::unique_ptr<Message>> messages_;  // whose answers were not read, oldest first
  bool reading_ = false, writing_ = false, read_everything_ = false, given_up_ = false, ended_ = false;
  int holds_ = 0;  // UnreadAnswers'
};

}  // namespace bouquet::server
