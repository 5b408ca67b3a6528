// Who answers a command's questions: a model on this machine's disk, or a server. The same requests and responses either way.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/backend.h"

namespace bouquet::server {

class Answerer {
 public:
  virtual ~Answerer() = default;

  // Errors: those of Recommender; of a server also Unavailable, DeadlineExceeded and ResourceExhausted.
  virtual absl::Status recommend(const v1::RecommendRequest& request, v1::RecommendResponse* response) = 0;
  virtual absl::Status similar_items(const v1::SimilarItemsRequest& request, v1::SimilarItemsResponse* response) = 0;
  virtual absl::Status cross_sell(const v1::CrossSellRequest& request, v1::CrossSellResponse* response) = 0;
};

// Where a command finds its answers: one of the two is set.
struct AnswerPlace {
  std::string models;         // a models directory
  std::string model_version;  // of it; empty: the current one
  std::string store;          // with `models`: a server's store, whose events count too; empty: none
  std::string answer;         // with `store`: a recommendation_id, whose model version answers; empty: none
  std::string server;         // host:port or unix:PATH; wins over `models`
  int32_t timeout_ms = 5000;
  BackendChoice backend;
};

// Errors: InvalidArgument (neither place is set), those of ModelsDirectory and of ServedModel::load, Unavailable (no server there).
absl::StatusOr<std::unique_ptr<Answerer>> make_answerer(const AnswerPlace& place, const BackendFactory& backends);

}  // namespace bouquet::server
