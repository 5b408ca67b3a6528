#include "server/remote_answerer.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "bouquet/v1/recommendations.grpc.pb.h"
#include "server/client_channel.h"
#include "server/status_mapping.h"

namespace bouquet::server {
namespace {

class RemoteAnswerer : public Answerer {
 public:
  RemoteAnswerer(std::shared_ptr<grpc::Channel> channel, int32_t timeout_ms)
      : stub_(v1::Recommendations::NewStub(std::move(channel))), timeout_ms_(timeout_ms) {}

  absl::Status recommend(const v1::RecommendRequest& request, v1::RecommendResponse* response) override {
    return call(&v1::Recommendations::Stub::Recommend, request, response);
  }
  absl::Status similar_items(const v1::SimilarItemsRequest& request, v1::SimilarItemsResponse* response) override {
    return call(&v1::Recommendations::Stub::SimilarItems, request, response);
  }
  absl::Status cross_sell(const v1::CrossSellRequest& request, v1::CrossSellResponse* response) override {
    return call(&v1::Recommendations::Stub::CrossSell, request, response);
  }

 private:
  template <typename Method, typename Request, typename Response>
  absl::Status call(Method method, const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms_));
    return from_grpc(((*stub_).*method)(&context, request, response));
  }

  std::unique_ptr<v1::Recommendations::Stub> stub_;
  int32_t timeout_ms_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Answerer>> connect(const std::string& address, int32_t timeout_ms) {
  auto channel = open_channel(address, timeout_ms);
  if (!channel.ok()) return channel.status();
  return std::make_unique<RemoteAnswerer>(*std::move(channel), timeout_ms);
}

}  // namespace bouquet::server
