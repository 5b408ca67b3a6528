// bouquet.v1.Profiles and bouquet.v1.Audiences over gRPC's callback API: what asks is answered from the batcher's threads, what brings
// something new from the store's.
#pragma once

#include "bouquet/v1/audiences.grpc.pb.h"
#include "bouquet/v1/profiles.grpc.pb.h"
#include "server/batcher.h"
#include "server/event_intake.h"
#include "server/export_call.h"
#include "server/metrics.h"
#include "server/stream_events_call.h"
#include "server/unary_job.h"
#include "server/unread_answers.h"
#include "server/write_calls.h"

namespace bouquet::server {

using RawProfiles = v1::Profiles::WithRawCallbackMethod_GetProfile<
    v1::Profiles::WithRawCallbackMethod_RecordEvents<v1::Profiles::WithRawCallbackMethod_StreamEvents<
        v1::Profiles::WithRawCallbackMethod_SetAttributes<v1::Profiles::WithRawCallbackMethod_EraseCustomer<
            v1::Profiles::WithRawCallbackMethod_ExportCustomer<v1::Profiles::WithRawCallbackMethod_MergeCustomers<
                v1::Profiles::WithRawCallbackMethod_UnmergeCustomers<v1::Profiles::Service>>>>>>>>;

// What a service is made with outlives it, and it outlives its calls: destroy it after the batcher has stopped.
class ProfilesService final : public RawProfiles {
 public:
  // `most_unread_bytes`: of answers that streams have and nobody reads. `names`: nullptr: exports name no answers.
  ProfilesService(Batcher& batcher, EventIntake& intake, Metrics& metrics, int64_t most_unread_bytes, const AnswerNames* names = nullptr)
      : batcher_(batcher),
        intake_(intake),
        metrics_(metrics),
        unread_(most_unread_bytes),
        names_(names),
        get_profile_{Method::kGetProfile, batcher, metrics} {}

  grpc::ServerUnaryReactor* GetProfile(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in, grpc::ByteBuffer* out) override {
    return UnaryJob<v1::GetProfileRequest, v1::Profile>::start(get_profile_, context, *in, out);
  }
  grpc::ServerUnaryReactor* RecordEvents(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in, grpc::ByteBuffer* out) override {
    return start_record_events(context, *in, out, intake_, metrics_);
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamEvents(grpc::CallbackServerContext* context) override {
    return StreamEventsCall::start(context, intake_, unread_, metrics_);
  }
  grpc::ServerUnaryReactor* SetAttributes(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                          grpc::ByteBuffer* out) override {
    return start_set_attributes(context, *in, out, intake_, metrics_);
  }
  grpc::ServerUnaryReactor* EraseCustomer(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                          grpc::ByteBuffer* out) override {
    return start_erase_customer(context, *in, out, intake_, metrics_);
  }
  grpc::ServerUnaryReactor* MergeCustomers(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                           grpc::ByteBuffer* out) override {
    return start_merge_customers(context, *in, out, intake_, metrics_);
  }
  grpc::ServerUnaryReactor* UnmergeCustomers(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                             grpc::ByteBuffer* out) override {
    return start_unmerge_customers(context, *in, out, intake_, metrics_);
  }
  grpc::ServerWriteReactor<grpc::ByteBuffer>* ExportCustomer(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in) override {
    return ExportCall::start(context, *in, {intake_.store(), names_}, batcher_, metrics_);
  }

 private:
  Batcher& batcher_;
  EventIntake& intake_;
  Metrics& metrics_;
  UnreadAnswers unread_;
  const AnswerNames* const names_;
  UnaryMethod<v1::GetProfileRequest, v1::Profile> get_profile_;
};

class AudiencesService final : public v1::Audiences::WithRawCallbackMethod_SimilarCustomers<v1::Audiences::Service> {
 public:
  AudiencesService(Batcher& batcher, Metrics& metrics) : similar_customers_{Method::kSimilarCustomers, batcher, metrics} {}

  grpc::ServerUnaryReactor* SimilarCustomers(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                             grpc::ByteBuffer* out) override {
    return UnaryJob<v1::SimilarCustomersRequest, v1::SimilarCustomersResponse>::start(similar_customers_, context, *in, out);
  }

 private:
  UnaryMethod<v1::SimilarCustomersRequest, v1::SimilarCustomersResponse> similar_customers_;
};

}  // namespace bouquet::server
