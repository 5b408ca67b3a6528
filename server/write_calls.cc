#include "server/write_calls.h"

#include <chrono>
#include <utility>

#include "engine/seconds_since.h"
#include "server/read_request.h"
#include "server/status_mapping.h"
#include "server/unary_job.h"

namespace bouquet::server {
namespace {

// One call; lives until it has been answered.
template <typename Request, typename Response>
struct WriteCall {
  WriteCall(Method call_method, grpc::CallbackServerContext* call_context, grpc::ByteBuffer* call_out, Metrics& call_metrics)
      : method(call_method),
        context(call_context),
        out(call_out),
        metrics(call_metrics),
        reactor(call_context->DefaultReactor()),
        request(google::protobuf::Arena::CreateMessage<Request>(&arena)),
        response(google::protobuf::Arena::CreateMessage<Response>(&arena)) {}

  void finish(const absl::Status& status) {
    if (status.ok()) *out = serialize_message(*response);
    if (status.code() == absl::StatusCode::kResourceExhausted) context->AddTrailingMetadata(kPushbackKey, kPushbackMs);
    metrics.call_done(method, status.code(), seconds_since(arrived));
    reactor->Finish(to_grpc(status));
  }
  // Whether the call is one to go on with; else it has been answered.
  bool read(const grpc::ByteBuffer& in) {
    const absl::Status status = read_request(in, kMaxEventsMessageBytes, request);
    if (!status.ok()) finish(status);
    return status.ok();
  }

  // Why the caller does not wait any more; not to be asked after finish().
  absl::Status unwanted() const {
    if (Clock::now() >= deadline) return status_of(Drop::kExpired);
    return context->IsCancelled() ? status_of(Drop::kCancelled) : absl::OkStatus();
  }

  const Method method;
  grpc::CallbackServerContext* const context;
  grpc::ByteBuffer* const out;
  Metrics& metrics;
  const TimePoint arrived = Clock::now();
  const TimePoint deadline = deadline_of(*context);
  grpc::ServerUnaryReactor* const reactor;
  google::protobuf::Arena arena;
  Request* const request;
  Response* const response;
  EventBatch batch = {};
};

// Calls whose request the intake takes as it is.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* start(Method method,
                                void (EventIntake::*take)(const Request&, Response*, EventIntake::Done, EventIntake::Unwanted),
                                grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                EventIntake& intake, Metrics& metrics) {
  auto call = std::make_shared<WriteCall<Request, Response>>(method, context, out, metrics);
  grpc::ServerUnaryReactor* const reactor = call->reactor;
  if (call->read(in))
    (intake.*take)(
        *call->request, call->response, [call](const absl::Status& status) { call->finish(status); }, [call] { return call->unwanted(); });
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* start_record_events(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                              EventIntake& intake, Metrics& metrics) {
  using Call = WriteCall<v1::RecordEventsRequest, v1::RecordEventsResponse>;
  auto call = std::make_shared<Call>(Method::kRecordEvents, context, out, metrics);
  grpc::ServerUnaryReactor* const reactor = call->reactor;
  if (!call->read(in)) return reactor;
  call->batch.said = &call->request->events();
  call->batch.results = call->response->mutable_results();
  intake.record(
      call->batch, call->request->validate_only(),
      [call](const absl::Status& status) {
        call->response->set_failed(call->batch.failed);
        call->finish(status);
      },
      [call] { return call->unwanted(); });
  return reactor;
}

grpc::ServerUnaryReactor* start_set_attributes(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                               EventIntake& intake, Metrics& metrics) {
  return start<v1::SetAttributesRequest, v1::SetAttributesResponse>(Method::kSetAttributes, &EventIntake::set_attributes, context, in, out,
                                                                    intake, metrics);
}

grpc::ServerUnaryReactor* start_erase_customer(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                               EventIntake& intake, Metrics& metrics) {
  return start<v1::EraseCustomerRequest, v1::EraseCustomerResponse>(Method::kEraseCustomer, &EventIntake::erase, context, in, out, intake,
                                                                    metrics);
}

grpc::ServerUnaryReactor* start_merge_customers(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                                EventIntake& intake, Metrics& metrics) {
  return start<v1::MergeCustomersRequest, v1::MergeCustomersResponse>(Method::kMergeCustomers, &EventIntake::merge, context, in, out,
                                                                      intake, metrics);
}

grpc::ServerUnaryReactor* start_unmerge_customers(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in, grpc::ByteBuffer* out,
                                                  EventIntake& intake, Metrics& metrics) {
  return start<v1::UnmergeCustomersRequest, v1::UnmergeCustomersResponse>(Method::kUnmergeCustomers, &EventIntake::unmerge, context, in,
                                                                          out, intake, metrics);
}

}  // namespace bouquet::server
