#include "server/stream_events_call.h"

#include <google/protobuf/arena.h>

#include <chrono>
#include <utility>

#include "engine/errors.h"
#include "engine/seconds_since.h"
#include "google/rpc/status.pb.h"
#include "server/read_request.h"
#include "server/status_mapping.h"

namespace bouquet::server {

struct StreamEventsCall::Message {
  google::protobuf::Arena arena;
  v1::StreamEventsRequest* const request = google::protobuf::Arena::CreateMessage<v1::StreamEventsRequest>(&arena);
  v1::StreamEventsResponse* const response = google::protobuf::Arena::CreateMessage<v1::StreamEventsResponse>(&arena);
  EventBatch batch;
  grpc::ByteBuffer bytes;
  bool answered = false;
};

StreamEventsCall::StreamEventsCall(EventIntake& intake, Metrics& metrics) : intake_(intake), metrics_(metrics) {}
StreamEventsCall::~StreamEventsCall() = default;

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamEventsCall::start(EventIntake& intake, Metrics& metrics) {
  auto* call = new StreamEventsCall(intake, metrics);
  if (absl::Status s = intake.ready(); !s.ok()) {
    call->ended_ = true;
    call->end(s);
  } else {
    call->advance();
  }
  return call;
}

// Nothing is read while a message is handed on, so that messages reach the store in their order.
void StreamEventsCall::OnReadDone(bool ok) {
  Message* message = nullptr;
  if (ok) {
    const std::lock_guard lock(mutex_);
    message = messages_.emplace_back(std::make_unique<Message>()).get();
  }
  if (message != nullptr) submit(*message);
  {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    read_everything_ = !ok;
  }
  advance();
}

void StreamEventsCall::submit(Message& message) {
  message.response->set_message(++read_);
  if (absl::Status s = read_request(in_, kMaxEventsMessageBytes, message.request); !s.ok()) return answered(message, s);
  message.batch.said = &message.request->events();
  message.batch.results = message.response->mutable_results();
  intake_.record(message.batch, false, [this, &message](const absl::Status& done) { answered(message, done); });
}

void StreamEventsCall::answered(Message& message, const absl::Status& status) {
  message.response->set_failed(message.batch.failed);
  if (!status.ok()) {
    message.response->clear_results();
    message.response->clear_failed();
    message.response->mutable_error()->set_code(static_cast<int>(status.code()));
    message.response->mutable_error()->set_message(std::string(message_of(status)));
  }
  message.bytes = serialize_message(*message.response);
  {
    const std::lock_guard lock(mutex_);
    message.answered = true;
  }
  advance();
}

void StreamEventsCall::OnWriteDone(bool) {
  // A caller who has gone away is noticed by reading; what it sent is in the store all the same.
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    messages_.pop_front();
  }
  advance();
}

// Starts whatever can be started now. After an operation is started the call may be gone.
void StreamEventsCall::advance() {
  Message* write = nullptr;
  bool read = false, finish = false;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    if (!writing_ && !messages_.empty() && messages_.front()->answered) {
      write = messages_.front().get();
      writing_ = true;
    }
    read = !reading_ && !read_everything_ && messages_.size() < kWindow;
    reading_ = reading_ || read;
    finish = ended_ = read_everything_ && messages_.empty();
  }
  if (finish) return end(absl::OkStatus());
  // While one of the two is under way the call cannot end, so that it lives until the other is started: the write holds the message back,
  // and the last to be started is the read.
  if (write != nullptr) StartWrite(&write->bytes);
  if (read) StartRead(&in_);
}

void StreamEventsCall::end(const absl::Status& status) {
  metrics_.call_done(Method::kStreamEvents, status.code(), seconds_since(arrived_));
  Finish(to_grpc(status));
}

}  // namespace bouquet::server
