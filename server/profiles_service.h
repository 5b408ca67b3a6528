// bouquet.v1.Profiles and bouquet.v1.Audiences over gRPC's callback API, answered from the batcher's threads.
#pragma once

#include "bouquet/v1/audiences.grpc.pb.h"
#include "bouquet/v1/profiles.grpc.pb.h"
#include "server/batcher.h"
#include "server/metrics.h"
#include "server/unary_job.h"

namespace bouquet::server {

// Both of what a service is made with outlive it, and it outlives its calls: destroy it after the batcher has stopped.
class ProfilesService final : public v1::Profiles::WithRawCallbackMethod_GetProfile<v1::Profiles::Service> {
 public:
  ProfilesService(Batcher& batcher, Metrics& metrics) : get_profile_{Method::kGetProfile, batcher, metrics} {}

  grpc::ServerUnaryReactor* GetProfile(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in, grpc::ByteBuffer* out) override {
    return UnaryJob<v1::GetProfileRequest, v1::Profile>::start(get_profile_, context, *in, out);
  }

 private:
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
