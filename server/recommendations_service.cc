#include "server/recommendations_service.h"

#include "server/batch_recommend_call.h"
#include "server/unary_job.h"

namespace bouquet::server {

grpc::ServerUnaryReactor* RecommendationsService::Recommend(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                            grpc::ByteBuffer* out) {
  return UnaryJob<v1::RecommendRequest, v1::RecommendResponse>::start(context, *in, out, Method::kRecommend, batcher_, metrics_);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* RecommendationsService::BatchRecommend(grpc::CallbackServerContext* context,
                                                                                   const grpc::ByteBuffer* in) {
  return BatchRecommendCall::start(context, *in, batcher_, metrics_);
}

grpc::ServerUnaryReactor* RecommendationsService::SimilarItems(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                               grpc::ByteBuffer* out) {
  return UnaryJob<v1::SimilarItemsRequest, v1::SimilarItemsResponse>::start(context, *in, out, Method::kSimilarItems, batcher_, metrics_);
}

grpc::ServerUnaryReactor* RecommendationsService::CrossSell(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                            grpc::ByteBuffer* out) {
  return UnaryJob<v1::CrossSellRequest, v1::CrossSellResponse>::start(context, *in, out, Method::kCrossSell, batcher_, metrics_);
}

}  // namespace bouquet::server
