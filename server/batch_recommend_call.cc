#include "server/batch_recommend_call.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "engine/errors.h"
#include "engine/seconds_since.h"
#include "google/rpc/status.pb.h"
#include "server/read_request.h"
#include "server/status_mapping.h"
#include "server/unary_job.h"

namespace bouquet::server {

// One request of the window.
class BatchRecommendCall::Element final : public Job {
 public:
  Element(BatchRecommendCall& call, size_t slot) : call_(call), slot_(slot) {}

  Question question() override {
    const int at = call_.first_ + static_cast<int>(slot_);
    return Exchange<v1::RecommendRequest, v1::RecommendResponse>{&call_.request_.requests(at), &call_.responses_[slot_],
                                                                 &call_.parts_[static_cast<size_t>(at)].attributes};
  }
  bool cancelled() const override { return call_.cancelled_.load(std::memory_order_relaxed); }
  void finish(const absl::Status& status) override {
    call_.statuses_[slot_] = status;
    call_.element_done();
  }

 private:
  BatchRecommendCall& call_;
  const size_t slot_;
};

grpc::ServerWriteReactor<grpc::ByteBuffer>* BatchRecommendCall::start(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in,
                                                                      Batcher& batcher, Metrics& metrics) {
  auto* call = new BatchRecommendCall(context, batcher, metrics);
  const auto parse = [call](const grpc::ByteBuffer& bytes, v1::BatchRecommendRequest* request) {
    return parse_batch(bytes, request, &call->bytes_, &call->parts_);
  };
  if (const absl::Status read = read_request(in, kMaxMessageBytes, &call->request_, parse); !read.ok()) {
    call->end(read);
  } else {
    call->deadline_ = deadline_of(*context);
    call->submit_window();
  }
  return call;
}

void BatchRecommendCall::submit_window() {
  const int size = std::min(kWindow, request_.requests_size() - first_);
  written_ = 0;
  responses_.assign(static_cast<size_t>(size), {});
  statuses_.assign(static_cast<size_t>(size), absl::OkStatus());
  // One more than there are, so that the window is not done before all of it is submitted.
  outstanding_.store(size + 1, std::memory_order_relaxed);
  for (int i = 0; i < size; ++i) {
    const v1::RecommendRequest& request = request_.requests(first_ + i);
    auto element = std::make_unique<Element>(*this, static_cast<size_t>(i));
    if (absl::Status valid = validate(request); !valid.ok())
      element->finish(valid);
    else
      batcher_.submit({.job = std::move(element),
                       .deadline = deadline_,
                       .bytes = parts_[static_cast<size_t>(first_ + i)].bytes,
                       .min_version = min_version_of(request)});
  }
  element_done();
}

void BatchRecommendCall::element_done() {
  if (outstanding_.fetch_sub(1, std::memory_order_acq_rel) == 1) write_next();
}

void BatchRecommendCall::write_next() {
  if (cancelled_.load(std::memory_order_relaxed)) return end(absl::CancelledError("the caller cancelled the request"));
  const auto slot = static_cast<size_t>(written_);
  v1::BatchRecommendResponse response;
  response.set_index(first_ + written_);
  if (statuses_[slot].ok()) {
    *response.mutable_response() = std::move(responses_[slot]);
  } else {
    const grpc::Status status = to_grpc(statuses_[slot]);
    // The details, where there are any, are a google.rpc.Status already.
    if (!response.mutable_error()->ParseFromString(status.error_details()) || response.error().code() == 0) {
      response.mutable_error()->set_code(status.error_code());
      response.mutable_error()->set_message(status.error_message());
    }
  }
  message_ = serialize_message(response);
  ++written_;
  StartWrite(&message_);
}

void BatchRecommendCall::OnWriteDone(bool ok) {
  if (!ok) return end(absl::CancelledError("the caller went away"));
  if (written_ < static_cast<int>(responses_.size())) return write_next();
  first_ += written_;
  if (first_ == request_.requests_size()) return end(absl::OkStatus());
  submit_window();
}

void BatchRecommendCall::end(const absl::Status& status) {
  metrics_.call_done(Method::kBatchRecommend, status.code(), seconds_since(arrived_));
  Finish(to_grpc(status));
}

}  // namespace bouquet::server
