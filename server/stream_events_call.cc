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

// What a message takes until the store has answered: a multiple of its answer.
struct StreamEventsCall::Work {
  google::protobuf::Arena arena;
  v1::StreamEventsRequest* const request = google::protobuf::Arena::CreateMessage<v1::StreamEventsRequest>(&arena);
  v1::StreamEventsResponse* const response = google::protobuf::Arena::CreateMessage<v1::StreamEventsResponse>(&arena);
  EventBatch batch;
};

struct StreamEventsCall::Message {
  std::unique_ptr<Work> work = std::make_unique<Work>();  // none: answered
  grpc::ByteBuffer answer;
};

StreamEventsCall::StreamEventsCall(grpc::CallbackServerContext* context, EventIntake& intake, UnreadAnswers& unread, Metrics& metrics)
    : context_(context), intake_(intake), unread_(unread), metrics_(metrics) {}
StreamEventsCall::~StreamEventsCall() = default;

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamEventsCall::start(grpc::CallbackServerContext* context,
                                                                                     EventIntake& intake, UnreadAnswers& unread,
                                                                                     Metrics& metrics) {
  auto* call = new StreamEventsCall(context, intake, unread, metrics);
  if (absl::Status s = intake.ready(); !s.ok()) {
    call->ended_ = true;
    call->end(s);
  } else {
    call->advance(std::unique_lock(call->mutex_));
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
  std::unique_lock lock(mutex_);
  reading_ = false;
  read_everything_ = !ok;
  advance(std::move(lock));
}

void StreamEventsCall::submit(Message& message) {
  Work& work = *message.work;
  work.response->set_message(++read_);
  const absl::Status read = read_request(in_, kMaxEventsMessageBytes, work.request);
  in_.Clear();
  if (!read.ok()) return answered(message, read);
  work.batch.said = &work.request->events();
  work.batch.results = work.response->mutable_results();
  intake_.record(work.batch, false, [this, &message](const absl::Status& done) { answered(message, done); });
}

void StreamEventsCall::answered(Message& message, const absl::Status& status) {
  v1::StreamEventsResponse& response = *message.work->response;
  response.set_failed(message.work->batch.failed);
  if (!status.ok()) {
    response.clear_results();
    response.clear_failed();
    response.mutable_error()->set_code(static_cast<int>(status.code()));
    response.mutable_error()->set_message(std::string(message_of(status)));
  }
  message.answer = serialize_message(response);
  unread_.add(*this, static_cast<int64_t>(message.answer.Length()));
  std::unique_lock lock(mutex_);
  const std::unique_ptr<Work> done = std::move(message.work);
  advance(std::move(lock));
}

void StreamEventsCall::OnWriteDone(bool) {
  // A caller who has gone away is noticed by reading; what it sent is in the store all the same.
  std::unique_ptr<Message> written;
  {
    const std::lock_guard lock(mutex_);
    written = std::move(messages_.front());
    messages_.pop_front();
  }
  unread_.remove(*this, static_cast<int64_t>(written->answer.Length()));
  std::unique_lock lock(mutex_);
  writing_ = false;
  advance(std::move(lock));
}

void StreamEventsCall::hold() {
  const std::lock_guard lock(mutex_);
  ++holds_;
}

void StreamEventsCall::give_up() {
  context_->TryCancel();
  std::unique_lock lock(mutex_);
  --holds_;
  given_up_ = true;
  advance(std::move(lock));
}

// Starts whatever can be started now. After an operation is started, or the lock let go without any, the call may be gone.
void StreamEventsCall::advance(std::unique_lock<std::mutex> lock) {
  if (ended_) return;
  Message* write = nullptr;
  if (!writing_ && !messages_.empty() && messages_.front()->work == nullptr) {
    write = messages_.front().get();
    writing_ = true;
  }
  const bool read = !reading_ && !read_everything_ && messages_.size() < kWindow;
  reading_ = reading_ || read;
  const bool finish = ended_ = read_everything_ && messages_.empty() && !writing_ && holds_ == 0;
  const bool given_up = given_up_;
  lock.unlock();
  if (finish) return end(given_up ? no_resource("the answers were not read") : absl::OkStatus());
  // While one of the two is under way the call cannot end, so that it lives until the other is started: the write holds the message back,
  // and the last to be started is the read.
  if (write != nullptr) StartWrite(&write->answer);
  if (read) StartRead(&in_);
}

void StreamEventsCall::end(const absl::Status& status) {
  metrics_.call_done(Method::kStreamEvents, status.code(), seconds_since(arrived_));
  Finish(to_grpc(status));
}

}  // namespace bouquet::server
