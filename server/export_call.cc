#include "server/export_call.h"

#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "engine/seconds_since.h"
#include "server/read_request.h"
#include "server/status_mapping.h"
#include "server/unary_job.h"

namespace bouquet::server {

class ExportCall::ProfileJob final : public Job {
 public:
  explicit ProfileJob(ExportCall& call) : call_(call) {}

  Question question() override { return Exchange<v1::GetProfileRequest, v1::Profile>{&call_.profile_request_, &call_.profile_}; }
  bool cancelled() const override { return call_.cancelled_.load(std::memory_order_relaxed); }
  void finish(const absl::Status& status) override { call_.read_store(status); }

 private:
  ExportCall& call_;
};

grpc::ServerWriteReactor<grpc::ByteBuffer>* ExportCall::start(grpc::CallbackServerContext* context, const grpc::ByteBuffer& in,
                                                              const KnownOfCustomers& known, Batcher& batcher, Metrics& metrics) {
  auto* call = new ExportCall(known, metrics);
  if (const absl::Status read = read_request(in, kMaxMessageBytes, &call->request_); !read.ok()) {
    call->end(read);
  } else {
    v1::GetProfileRequest& profile = call->profile_request_;
    profile.set_customer_id(call->request_.customer_id());
    profile.set_history(std::numeric_limits<int32_t>::max());
    profile.set_interests(kMaxInterests);
    profile.set_embedding(true);
    batcher.submit(
        {.job = std::make_unique<ProfileJob>(*call), .deadline = deadline_of(*context), .bytes = static_cast<int64_t>(in.Length())});
  }
  return call;
}

void ExportCall::read_store(const absl::Status& answered) {
  if (!answered.ok()) return end(answered);
  if (absl::Status s = record_.read(known_, request_.customer_id(), std::move(profile_)); !s.ok()) return end(s);
  write_next();
}

void ExportCall::write_next() {
  if (cancelled_.load(std::memory_order_relaxed)) return end(absl::CancelledError("the caller cancelled the request"));
  v1::ExportCustomerResponse piece;
  if (!record_.next(piece)) return end(absl::OkStatus());
  message_ = serialize_message(piece);
  StartWrite(&message_);
}

void ExportCall::OnWriteDone(bool ok) {
  if (!ok) return end(absl::CancelledError("the caller went away"));
  write_next();
}

void ExportCall::end(const absl::Status& status) {
  metrics_.call_done(Method::kExportCustomer, status.code(), seconds_since(arrived_));
  Finish(to_grpc(status));
}

}  // namespace bouquet::server
