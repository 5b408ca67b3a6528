#include "server/answerer.h"

#include <utility>

#include "engine/errors.h"
#include "server/local_model.h"
#include "server/local_store.h"
#include "server/remote_answerer.h"

namespace bouquet::server {
namespace {

class LocalAnswerer : public Answerer {
 public:
  LocalAnswerer(LocalModel model, std::unique_ptr<LocalStore> store, std::unique_ptr<Recommender> recommender)
      : model_(std::move(model)), store_(std::move(store)), recommender_(std::move(recommender)) {}

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
  std::unique_ptr<LocalStore> store_;  // may be none
  std::unique_ptr<Recommender> recommender_;
};

// Which version answers.
absl::StatusOr<std::string> version_of(const AnswerPlace& place, const LocalStore* store) {
  if (place.answer.empty()) return place.model_version;
  if (store == nullptr || store->names() == nullptr)
    return wrong_usage("--as-of-answer: give --store DIR, of the server that made the answer: it has the key");
  const auto name = store->names()->open(place.answer, "--as-of-answer");
  return name.ok() ? absl::StatusOr<std::string>(name->model_version()) : name.status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Answerer>> make_answerer(const AnswerPlace& place, const BackendFactory& backends) {
  if (!place.server.empty()) return connect(place.server, place.timeout_ms);
  if (place.models.empty()) return wrong_usage("give --models DIR to answer from a model here, or --server ADDRESS to ask a server");
  std::unique_ptr<LocalStore> store;
  if (!place.store.empty()) {
    auto opened = LocalStore::open(place.store);
    if (!opened.ok()) return opened.status();
    store = *std::move(opened);
  }
  const auto version = version_of(place, store.get());
  if (!version.ok()) return version.status();
  auto model = open_model(place.models, *version, place.backend, backends);
  if (!model.ok()) return model.status();
  AnswerSettings settings;
  if (store != nullptr) {
    const auto of_store = store->settings(*model->served);
    if (!of_store.ok()) return of_store.status();
    settings = *of_store;
  }
  auto recommender = Recommender::make(*model->served, 1, settings);
  if (!recommender.ok()) return recommender.status();
  return std::make_unique<LocalAnswerer>(*std::move(model), std::move(store), *std::move(recommender));
}

}  // namespace bouquet::server
