// bouquet.v1.Recommendations over gRPC's callback API: calls are read on gRPC's threads and answered from the batcher's.
#pragma once

#include "bouquet/v1/recommendations.grpc.pb.h"
#include "server/batcher.h"
#include "server/metrics.h"
#include "server/unary_job.h"

namespace bouquet::server {

using RawRecommendations = v1::Recommendations::WithRawCallbackMethod_Recommend<
    v1::Recommendations::WithRawCallbackMethod_BatchRecommend<v1::Recommendations::WithRawCallbackMethod_SimilarItems<
        v1::Recommendations::WithRawCallbackMethod_CrossSell<v1::Recommendations::WithRawCallbackMethod_Explain<
            v1::Recommendations::WithRawCallbackMethod_NextBestAction<v1::Recommendations::Service>>>>>>;

class RecommendationsService final : public RawRecommendations {
 public:
  // Both outlive the service, which outlives its calls: destroy it after the batcher has stopped.
  RecommendationsService(Batcher& batcher, Metrics& metrics)
      : batcher_(batcher),
        metrics_(metrics),
        recommend_{Method::kRecommend, batcher, metrics},
        similar_items_{Method::kSimilarItems, batcher, metrics},
        cross_sell_{Method::kCrossSell, batcher, metrics},
        explain_{Method::kExplain, batcher, metrics},
        next_best_action_{Method::kNextBestAction, batcher, metrics} {}

  grpc::ServerUnaryReactor* Recommend(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in, grpc::ByteBuffer* out) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* BatchRecommend(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in) override;
  grpc::ServerUnaryReactor* SimilarItems(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in, grpc::ByteBuffer* out) override;
  grpc::ServerUnaryReactor* CrossSell(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in, grpc::ByteBuffer* out) override;
  grpc::ServerUnaryReactor* NextBestAction(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                           grpc::ByteBuffer* out) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in, grpc::ByteBuffer* out) override;

 private:
  Batcher& batcher_;
  Metrics& metrics_;
  UnaryMethod<v1::RecommendRequest, v1::RecommendResponse> recommend_;
  UnaryMethod<v1::SimilarItemsRequest, v1::SimilarItemsResponse> similar_items_;
  UnaryMethod<v1::CrossSellRequest, v1::CrossSellResponse> cross_sell_;
  UnaryMethod<v1::ExplainRequest, v1::ExplainResponse> explain_;
  UnaryMethod<v1::NextBestActionRequest, v1::NextBestActionResponse> next_best_action_;
};

}  // namespace bouquet::server
