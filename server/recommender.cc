#include "server/recommender.h"

#include "server/request_limits.h"

namespace bouquet::server {
namespace {

template <typename Request, typename Response>
absl::Status answer_one(Recommender& recommender, const Request& request, Response* response) {
  if (absl::Status s = validate(request); !s.ok()) return s;
  const Question question = Exchange<Request, Response>{&request, response};
  absl::Status status;
  recommender.answer({&question, 1}, {&status, 1});
  return status;
}

template <typename T>
T* pointer_to(std::optional<T>& value) {
  return value ? &*value : nullptr;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Recommender>> Recommender::make(const ServedModel& served, int32_t max_batch,
                                                               const AnswerSettings& settings) {
  static const Placements no_placements;
  static const ActionRules no_rules;
  const Placements& known = settings.placements == nullptr ? no_placements : *settings.placements;
  const ActionRules& rules = settings.actions == nullptr ? no_rules : *settings.actions;
  std::unique_ptr<Recommender> made(new Recommender(served));
  if (served.profiles() != nullptr) {
    const RankerLimits limits{.max_batch = max_batch, .max_k = kMaxRequestK};
    auto fold_in =
        FoldInBatch::make(*served.profiles(), served.dimension(), served.artifact().model.customer_prior, {.max_batch = max_batch});
    if (!fold_in.ok()) return fold_in.status();
    // A mix asks for each kind by itself.
    const RankerLimits of_profiles{.max_batch = known.any_mixes() ? max_batch * kItemKindCount : max_batch, .max_k = kMaxRequestK};
    auto by_profile = RankingBatch::make(*served.profiles(), served.artifact().model.profile_matrix(), of_profiles);
    if (!by_profile.ok()) return by_profile.status();
    const MatrixView<const float> units{served.unit_vector(0).data(), served.item_count(), served.dimension()};
    auto by_similarity = RankingBatch::make(*served.similarity(), units, limits);
    if (!by_similarity.ok()) return by_similarity.status();
    made->fold_in_ = *std::move(fold_in);
    made->profile_ranking_ = *std::move(by_profile);
    made->similarity_ranking_ = *std::move(by_similarity);
  }
  made->askers_.emplace(served, pointer_to(made->fold_in_), settings.live, settings.names, settings.inputs);
  made->recommend_.emplace(served, RowSettings{known, settings.names, settings.inputs, settings.log}, *made->askers_,
                           pointer_to(made->fold_in_), pointer_to(made->profile_ranking_), made->blend_);
  made->explain_.emplace(served, known, *made->askers_, pointer_to(made->fold_in_), made->blend_);
  made->actions_.emplace(served, ActionBatch::Settings{{known, settings.names}, rules}, *made->askers_, pointer_to(made->fold_in_),
                         made->blend_);
  made->nearest_.emplace(served, max_batch, settings.live.source);
  made->profiles_.emplace(served, known, *made->askers_, pointer_to(made->fold_in_), *made->nearest_);
  made->similar_customers_.emplace(served, *made->askers_, *made->nearest_);
  made->similar_.emplace(served, RowSettings{known, settings.names}, pointer_to(made->similarity_ranking_));
  made->cross_sell_.emplace(served, RowSettings{known, settings.names}, pointer_to(made->similarity_ranking_));
  return made;
}

void Recommender::answer(std::span<const Question> questions, std::span<absl::Status> statuses) {
  recommend_->clear();
  explain_->clear();
  actions_->clear();
  nearest_->clear();
  profiles_->clear();
  similar_customers_->clear();
  similar_->clear();
  cross_sell_->clear();
  if (fold_in_) {
    fold_in_->clear();
    profile_ranking_->clear();
    similarity_ranking_->clear();
  }
  for (size_t i = 0; i < questions.size(); ++i) {
    statuses[i] = absl::OkStatus();
    std::visit([&](const auto& exchange) { add(exchange, &statuses[i]); }, questions[i]);
  }
  // Without items every item is unknown and every customer cold: there is nothing to solve or to rank.
  if (fold_in_) fold_in_->solve();
  recommend_->hand_over();
  recommend_->finish(profile_ranking_ ? profile_ranking_->rank() : absl::OkStatus());
  explain_->finish();
  actions_->finish();
  profiles_->hand_over();
  similar_customers_->hand_over();
  const absl::Status nearest = nearest_->rank();
  profiles_->finish(nearest);
  similar_customers_->finish(nearest);
  const absl::Status similarity = similarity_ranking_ ? similarity_ranking_->rank() : absl::OkStatus();
  similar_->finish(similarity);
  cross_sell_->finish(similarity);
}

absl::Status Recommender::recommend(const v1::RecommendRequest& request, v1::RecommendResponse* response) {
  return answer_one(*this, request, response);
}

absl::Status Recommender::similar_items(const v1::SimilarItemsRequest& request, v1::SimilarItemsResponse* response) {
  return answer_one(*this, request, response);
}

absl::Status Recommender::explain(const v1::ExplainRequest& request, v1::ExplainResponse* response) {
  return answer_one(*this, request, response);
}

absl::Status Recommender::next_best_action(const v1::NextBestActionRequest& request, v1::NextBestActionResponse* response) {
  return answer_one(*this, request, response);
}

absl::Status Recommender::cross_sell(const v1::CrossSellRequest& request, v1::CrossSellResponse* response) {
  return answer_one(*this, request, response);
}

}  // namespace bouquet::server
