#include "server/recommendations_service.h"

#include "server/batch_recommend_call.h"

namespace bouquet::server {

grpc::ServerUnaryReactor* RecommendationsService::Recommend(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                            grpc::ByteBuffer* out) {
  return UnaryJob<v1::RecommendRequest, v1::RecommendResponse>::start(recommend_, context, *in, out);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* RecommendationsService::BatchRecommend(grpc::CallbackServerContext* context,
                                                                                   const grpc::ByteBuffer* in) {
  return BatchRecommendCall::start(context, *in, batcher_, metrics_);
}

grpc::ServerUnaryReactor* RecommendationsService::SimilarItems(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                               grpc::ByteBuffer* out) {
  return UnaryJob<v1::SimilarItemsRequest, v1::SimilarItemsResponse>::start(similar_items_, context, *in, out);
}

grpc::ServerUnaryReactor* RecommendationsService::CrossSell(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                            grpc::ByteBuffer* out) {
  return UnaryJob<v1::CrossSellRequest, v1::CrossSellResponse>::start(cross_sell_, context, *in, out);
}

grpc::ServerUnaryReactor* RecommendationsService::Explain(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                          grpc::ByteBuffer* out) {
  return UnaryJob<v1::ExplainRequest, v1::ExplainResponse>::start(explain_, context, *in, out);
}

grpc::ServerUnaryReactor* RecommendationsService::NextBestAction(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                                 grpc::ByteBuffer* out) {
  return UnaryJob<v1::NextBestActionRequest, v1::NextBestActionResponse>::start(next_best_action_, context, *in, out);
}

}  // namespace bouquet::server
