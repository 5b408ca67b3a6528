#include "server/answerer.h"

#include <utility>

#include "engine/errors.h"
#include "server/local_model.h"
#include "server/remote_answerer.h"

namespace bouquet::server {
namespace {

class LocalAnswerer : public Answerer {
 public:
  LocalAnswerer(LocalModel model, std::unique_ptr<Recommender> recommender)
      : model_(std::move(model)), recommender_(std::move(recommender)) {}

  absl::Status recommend(const v1::RecommendRequest& request, v1::RecommendResponse* response) override {
    return recommender_->recommend(request, response);
  }
  absl::Status similar_items(const v1::SimilarItemsRequest& request, v1::SimilarItemsResponse* response) override {
    return recommender_->similar_items(request, response);
  }
  absl::Status cross_sell(const v1::CrossSellRequest& request, v1::CrossSellResponse* response) override {
    return recommender_->cross_sell(request, response);
  }

 private:
  LocalModel model_;
  std::unique_ptr<Recommender> recommender_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Answerer>> make_answerer(const AnswerPlace& place, const BackendFactory& backends) {
  if (!place.server.empty()) return connect(place.server, place.timeout_ms);
  if (place.models.empty()) return wrong_usage("give --models DIR to answer from a model here, or --server ADDRESS to ask a server");
  auto model = open_current(place.models, place.backend, backends);
  if (!model.ok()) return model.status();
  auto recommender = Recommender::make(*model->served, 1);
  if (!recommender.ok()) return recommender.status();
  return std::make_unique<LocalAnswerer>(*std::move(model), *std::move(recommender));
}

}  // namespace bouquet::server
