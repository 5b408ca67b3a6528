// A unary call on its way through the queue: its request, in an arena of its own, its response, from a pool, and the reactor that ends it.
#pragma once

#include <google/protobuf/arena.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <memory>
#include <utility>

#include "engine/seconds_since.h"
#include "server/batcher.h"
#include "server/message_pool.h"
#include "server/metrics.h"
#include "server/read_request.h"
#include "server/status_mapping.h"

namespace bouquet::server {

// How long a caller who was turned away should wait before it tries again.
inline constexpr char kPushbackKey[] = "grpc-retry-pushback-ms";
inline constexpr char kPushbackMs[] = "100";

// When the call's deadline is by our clock; never if it has none.
inline TimePoint deadline_of(const grpc::CallbackServerContext& context) {
  const auto deadline = context.deadline();
  const auto now = std::chrono::system_clock::now();
  if (deadline - now > std::chrono::hours(24)) return TimePoint::max();
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(deadline - now);
}

// What must have been recorded before the request is answered; 0: it asks for nothing like that.
template <typename Request>
int64_t min_version_of(const Request& request) {
  if constexpr (requires { request.min_profile_version(); })
    return request.has_visitor() ? 0 : request.min_profile_version();
  else
    return 0;
}

// What all calls of one method share. Thread-safe; outlives its calls.
template <typename Request, typename Response>
struct UnaryMethod {
  const Method method;
  Batcher& batcher;
  Metrics& metrics;
  MessagePool<Response> responses = {};
};

template <typename Request, typename Response>
class UnaryJob final : public Job {
 public:
  using OfMethod = UnaryMethod<Request, Response>;

  // Reads, checks and queues one call. The reactor is gRPC's own, finished from whichever thread answers.
  static grpc::ServerUnaryReactor* start(OfMethod& method, grpc::CallbackServerContext* context, const grpc::ByteBuffer& in,
                                         grpc::ByteBuffer* out) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    auto job = std::unique_ptr<UnaryJob>(new UnaryJob(method, context, reactor, out));
    const auto parse = [&job](const grpc::ByteBuffer& bytes, Request*) { return job->parse(bytes); };
    if (const absl::Status read = read_request(in, kMaxMessageBytes, job->request_, parse); !read.ok()) {
      job->finish(read);
    } else {
      const int64_t min_version = min_version_of(*job->request_);
      method.batcher.submit({.job = std::move(job),
                             .deadline = deadline_of(*context),
                             .bytes = static_cast<int64_t>(in.Length()),
                             .min_version = min_version});
    }
    return reactor;
  }

  Question question() override {
    response_ = method_.responses.take();
    return Exchange<Request, Response>{request_, response_.get(), &attributes_};
  }
  bool cancelled() const override { return context_->IsCancelled(); }

  void finish(const absl::Status& status) override {
    if (status.ok()) *out_ = serialize_message(*response_);
    if (status.code() == absl::StatusCode::kResourceExhausted) context_->AddTrailingMetadata(kPushbackKey, kPushbackMs);
    method_.metrics.call_done(method_.method, status.code(), seconds_since(arrived_));
    reactor_->Finish(to_grpc(status));
  }

 private:
  UnaryJob(OfMethod& method, grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor, grpc::ByteBuffer* out)
      : method_(method), context_(context), reactor_(reactor), out_(out), arena_(first_block_, sizeof first_block_) {
    request_ = google::protobuf::Arena::CreateMessage<Request>(&arena_);
  }

  // Whether the bytes are a request.
  bool parse(const grpc::ByteBuffer& in) {
    if constexpr (requires(const Request& request) { request.attributes(); }) {
      static_assert(Request::kAttributesFieldNumber == WireAttributes::kField);
      return parse_request(in, request_, &bytes_, &attributes_);
    } else {
      return parse_message(in, request_);
    }
  }

  OfMethod& method_;
  grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
  grpc::ByteBuffer* const out_;
  const TimePoint arrived_ = Clock::now();
  alignas(8) char first_block_[768];  // enough for a request by id
  google::protobuf::Arena arena_;
  Request* request_;
  grpc::Slice bytes_;                               // what attributes_ borrows from; stays where it is
  WireAttributes attributes_;                       // those that are not in request_
  typename MessagePool<Response>::Lease response_;  // from question() on
};

}  // namespace bouquet::server
