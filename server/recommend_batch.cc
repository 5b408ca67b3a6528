#include "server/recommend_batch.h"

#include <algorithm>
#include <utility>

#include "server/answer_rows.h"
#include "server/explanation_rows.h"
#include "server/request_limits.h"

namespace bouquet::server {
void RecommendBatch::add(const v1::RecommendRequest& request, v1::RecommendResponse* response, absl::Status* status) {
  if (size_ == plans_.size()) plans_.emplace_back();
  Plan& plan = plans_[size_];
  plan.response = response;
  plan.status = status;
  plan.k = rows_wanted(request.k());
  auto selection = select_items(served_, request.kinds(), request.filter());
  *status = selection.status();
  if (!status->ok()) return;
  plan.selection = *std::move(selection);
  plan.include_purchased = request.include_purchased();
  plan.explain = request.explain();
  plan.query = kNone;
  *status = askers_.read(subject_of(request), plan.explain != v1::EXPLAIN_UNSPECIFIED, plan.asker);
  if (!status->ok()) return;
  ++size_;
  plan.listed = plan.asker.context;
  append_known(served_.artifact().item_ids, request.exclude_item_ids(), plan.listed);
  make_ascending_set(plan.listed);
  exclude_consumed(plan);
  // What is stored need not be solved first; so that rows come before vectors in the ranking.
  if (ranking_ != nullptr && plan.asker.stored && !askers_.profile(plan.asker).empty())
    plan.query = ranking_->add_row(plan.asker.customer, {plan.excluded, plan.selection.bitmap}, plan.k);
}

void RecommendBatch::exclude_consumed(Plan& plan) {
  plan.excluded.clear();
  auto listed = plan.listed.begin();
  for (size_t i = 0; i < plan.asker.view.items.size(); ++i) {
    if (!plan.asker.view.consumed[i]) continue;
    const ItemIndex item = plan.asker.view.items[i];
    while (listed != plan.listed.end() && *listed < item) plan.excluded.push_back(*listed++);
    if (listed != plan.listed.end() && *listed == item) ++listed;
    plan.excluded.push_back(item);
  }
  plan.excluded.insert(plan.excluded.end(), listed, plan.listed.end());
}

void RecommendBatch::hand_over() {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    if (plan.asker.fold_in == kNone) continue;
    *plan.status = askers_.status(plan.asker);
    if (!plan.status->ok()) continue;
    if (const auto profile = askers_.profile(plan.asker); !profile.empty())
      plan.query = ranking_->add_vector(profile, {plan.excluded, plan.selection.bitmap}, plan.k);
  }
}

void RecommendBatch::finish(const absl::Status& ranked) {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    if (plan.status->ok() && plan.query != kNone) *plan.status = ranked;
    if (plan.status->ok()) write(plan);
  }
}

void RecommendBatch::write(Plan& plan) {
  plan.response->set_model_version(served_.version());
  plan.response->set_backend(served_.backend_name());
  if (plan.query != kNone) {
    plan.response->set_events_used(static_cast<int32_t>(plan.asker.view.items.size()));
    plan.response->set_attributes_used(plan.asker.attributes_used);
    write_personal(plan);
    if (plan.explain != v1::EXPLAIN_UNSPECIFIED) explain(plan);
  } else {
    plan.response->add_shortfall(v1::SHORTFALL_COLD_CUSTOMER);
    write_popular(plan);
  }
  add_shortfall(served_, plan.k, plan.response->results_size(), plan.response);
}

void RecommendBatch::write_personal(Plan& plan) {
  plan.response->mutable_results()->Reserve(plan.k);
  blend_->blend(askers_.profile(plan.asker), plan.asker.view.items, ranking_->rows(plan.query), ranking_->scores(plan.query), plan.k,
                [&](ItemIndex item) {
                  return is_eligible(item, {plan.excluded, plan.selection.bitmap});
                });
  const auto rows = blend_->rows();
  const auto scores = blend_->scores();
  if (!plan.include_purchased) {
    for (size_t i = 0; i < rows.size(); ++i) write_item(served_, rows[i], scores[i], v1::SOURCE_MODEL, plan.response->add_results());
    return;
  }
  rank_head(plan);
  mix_answer(head_, rows, scores, served_.artifact().repurchase.share, plan.k, answer_);
  for (const AnswerRow& row : answer_)
    write_item(served_, row.item, row.score, row.source == AnswerSource::kModel ? v1::SOURCE_MODEL : v1::SOURCE_REPURCHASE,
               plan.response->add_results());
}

void RecommendBatch::explain(Plan& plan) {
  const auto customer = fold_in_->solved(plan.asker.fold_in, cholesky_);
  *plan.status = customer.status();
  if (!customer.ok()) return;
  offered_.clear();
  for (v1::RecommendedItem& row : *plan.response->mutable_results())
    if (row.source() == v1::SOURCE_MODEL) offered_.push_back(&row);
  explain_rows(served_, *customer, *blend_, plan.explain, offered_);
}

void RecommendBatch::rank_head(const Plan& plan) {
  rank_repurchases(plan.asker.view, {.filter = plan.selection.bitmap, .excluded = plan.listed}, plan.k, head_);
}

void RecommendBatch::write_popular(Plan& plan) const {
  for (const ItemIndex item : served_.by_popularity()) {
    if (plan.response->results_size() == plan.k) return;
    if (!is_eligible(item, {plan.excluded, plan.selection.bitmap})) continue;
    write_item(served_, item, static_cast<float>(served_.customers_of(item)), v1::SOURCE_FALLBACK_POPULAR, plan.response->add_results());
  }
}

}  // namespace bouquet::server
