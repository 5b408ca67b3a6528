// The answers of Bouquet, without the network: the same code answers the server's calls and the offline commands, so the answer is
// the same either way. Takes whole batches, because that is what the seam is good at.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>

#include "absl/status/statusor.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/action_batch.h"
#include "server/action_rules.h"
#include "server/answer_name.h"
#include "server/asker.h"
#include "server/cross_sell_batch.h"
#include "server/explain_batch.h"
#include "server/fold_in_batch.h"
#include "server/nearest_customers.h"
#include "server/placements.h"
#include "server/profile_answers.h"
#include "server/ranking_batch.h"
#include "server/recommend_batch.h"
#include "server/served_model.h"
#include "server/similar_batch.h"
#include "server/similar_customers_batch.h"

namespace bouquet::server {

// A valid request (request_limits.h) and the empty response that it gets.
template <typename Request, typename Response>
struct Exchange {
  const Request* request;
  Response* response;
  const WireAttributes* wire = nullptr;  // the attributes that are not in the request's message; nullptr: none
};
using Question =
    std::variant<Exchange<v1::RecommendRequest, v1::RecommendResponse>, Exchange<v1::SimilarItemsRequest, v1::SimilarItemsResponse>,
                 Exchange<v1::CrossSellRequest, v1::CrossSellResponse>, Exchange<v1::ExplainRequest, v1::ExplainResponse>,
                 Exchange<v1::GetProfileRequest, v1::Profile>, Exchange<v1::SimilarCustomersRequest, v1::SimilarCustomersResponse>,
                 Exchange<v1::NextBestActionRequest, v1::NextBestActionResponse>>;

// What the server's configuration says of answers. Borrowed; nullptr: nothing.
struct AnswerSettings {
  const Placements* placements = nullptr;
  const ActionRules* actions = nullptr;
  LiveKnowledge live = {};
  const AnswerNames* names = nullptr;    // answers get a recommendation_id
  const AnswerInputs* inputs = nullptr;  // what came with requests and is kept
  AnswerInputsLog* log = nullptr;        // keeps it
};

// Answers from one model. Owns the scratch memory of one worker; not thread-safe.
class Recommender {
 public:
  // `served` and `settings` outlive the recommender. Answers up to max_batch questions at once. Errors: those of make_ranker and
  // make_profiler: everything is sized now.
  static absl::StatusOr<std::unique_ptr<Recommender>> make(const ServedModel& served, int32_t max_batch,
                                                           const AnswerSettings& settings = {});

  // Fills the responses of `questions` and one status each. A question that fails leaves the others alone.
  // Statuses: InvalidArgument (an event type that the model was not trained with, with BadRequest), NotFound (an unknown item), those
  // of the seam. At most max_batch questions.
  void answer(std::span<const Question> questions, std::span<absl::Status> statuses);

  // One question; validated here. Errors: InvalidArgument too (request_limits.h).
  absl::Status recommend(const v1::RecommendRequest& request, v1::RecommendResponse* response);
  absl::Status similar_items(const v1::SimilarItemsRequest& request, v1::SimilarItemsResponse* response);
  absl::Status cross_sell(const v1::CrossSellRequest& request, v1::CrossSellResponse* response);
  absl::Status explain(const v1::ExplainRequest& request, v1::ExplainResponse* response);
  absl::Status next_best_action(const v1::NextBestActionRequest& request, v1::NextBestActionResponse* response);

 private:
  explicit Recommender(const ServedModel& served) : served_(served), blend_(served.artifact().model, served.artifact().content_links) {}

  // What answers one kind of exchange.
  void add(const Exchange<v1::RecommendRequest, v1::RecommendResponse>& exchange, absl::Status* status) {
    recommend_->add(*exchange.request, exchange.wire, exchange.response, status);
  }
  void add(const Exchange<v1::SimilarItemsRequest, v1::SimilarItemsResponse>& exchange, absl::Status* status) {
    similar_->add(*exchange.request, exchange.response, status);
  }
  void add(const Exchange<v1::CrossSellRequest, v1::CrossSellResponse>& exchange, absl::Status* status) {
    cross_sell_->add(*exchange.request, exchange.response, status);
  }
  void add(const Exchange<v1::ExplainRequest, v1::ExplainResponse>& exchange, absl::Status* status) {
    explain_->add(*exchange.request, exchange.wire, exchange.response, status);
  }
  void add(const Exchange<v1::NextBestActionRequest, v1::NextBestActionResponse>& exchange, absl::Status* status) {
    actions_->add(*exchange.request, exchange.wire, exchange.response, status);
  }
  void add(const Exchange<v1::GetProfileRequest, v1::Profile>& exchange, absl::Status* status) {
    profiles_->add(*exchange.request, exchange.wire, exchange.response, status);
  }
  void add(const Exchange<v1::SimilarCustomersRequest, v1::SimilarCustomersResponse>& exchange, absl::Status* status) {
    similar_customers_->add(*exchange.request, exchange.wire, exchange.response, status);
  }

  const ServedModel& served_;
  // Without value when the model has no items.
  std::optional<FoldInBatch> fold_in_;
  std::optional<RankingBatch> profile_ranking_;
  std::optional<RankingBatch> similarity_ranking_;
  ContentBlend blend_;
  std::optional<AskerReader> askers_;
  std::optional<RecommendBatch> recommend_;
  std::optional<ExplainBatch> explain_;
  std::optional<ActionBatch> actions_;
  std::optional<NearestCustomers> nearest_;
  std::optional<ProfileAnswers> profiles_;
  std::optional<SimilarCustomersBatch> similar_customers_;
  std::optional<SimilarBatch> similar_;
  std::optional<CrossSellBatch> cross_sell_;
};

}  // namespace bouquet::server
