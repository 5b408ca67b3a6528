#include "server/recommend_batch.h"

#include <algorithm>
#include <utility>

#include "server/answer_rows.h"
#include "server/explanation_rows.h"

namespace bouquet::server {
void RecommendBatch::add(const v1::RecommendRequest& request, v1::RecommendResponse* response, absl::Status* status) {
  if (size_ == plans_.size()) plans_.emplace_back();
  Plan& plan = plans_[size_];
  plan.response = response;
  plan.status = status;
  auto wanted = wanted_rows(served_, placements_, row_question(request, true));
  *status = wanted.status();
  if (!status->ok()) return;
  plan.k = wanted->k;
  plan.parts.resize(std::max(wanted->kinds.size(), size_t{1}));
  plan.parts[0] = {.share = 1, .selection = std::move(wanted->selection), .query = kNone, .rows = {}};
  for (size_t p = 0; p < wanted->kinds.size(); ++p)
    plan.parts[p] = {.share = wanted->kinds[p].share, .selection = std::move(wanted->kinds[p].selection), .query = kNone, .rows = {}};
  plan.include_purchased = request.include_purchased();
  plan.explain = request.explain();
  plan.known = false;
  *status = askers_.read(subject_of(request), plan.explain != v1::EXPLAIN_UNSPECIFIED, plan.asker);
  if (!status->ok()) return;
  ++size_;
  plan.listed = plan.asker.context;
  append_known(served_.artifact().item_ids, request.exclude_item_ids(), plan.listed);
  make_ascending_set(plan.listed);
  exclude_consumed(plan);
  if (ranking_ != nullptr && plan.asker.stored && !askers_.profile(plan.asker).empty()) rank_stored(plan);
}

// What is stored need not be solved first.
void RecommendBatch::rank_stored(Plan& plan) {
  plan.known = true;
  for (Part& part : plan.parts) part.query = ranking_->add_row(plan.asker.customer, {plan.excluded, part.selection.bitmap}, plan.k);
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
    const auto profile = askers_.profile(plan.asker);
    if (profile.empty()) continue;
    plan.known = true;
    for (Part& part : plan.parts) part.query = ranking_->add_vector(profile, {plan.excluded, part.selection.bitmap}, plan.k);
  }
}

void RecommendBatch::finish(const absl::Status& ranked) {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    if (plan.status->ok() && plan.known) *plan.status = ranked;
    if (plan.status->ok()) write(plan);
  }
}

void RecommendBatch::write(Plan& plan) {
  plan.response->set_model_version(served_.version());
  plan.response->set_backend(served_.backend_name());
  if (plan.known) {
    plan.response->set_events_used(static_cast<int32_t>(plan.asker.view.items.size()));
    plan.response->set_attributes_used(plan.asker.attributes_used);
    for (Part& part : plan.parts) answer_personally(plan, part);
  } else {
    plan.response->add_shortfall(v1::SHORTFALL_COLD_CUSTOMER);
    for (Part& part : plan.parts) answer_popularly(plan, part);
  }
  write_rows(plan);
  if (plan.known && plan.explain != v1::EXPLAIN_UNSPECIFIED) explain(plan);
  add_shortfall(served_, plan.k, plan.response->results_size(), plan.response);
}

void RecommendBatch::answer_personally(const Plan& plan, Part& part) {
  const Eligibility eligibility{plan.excluded, part.selection.bitmap};
  blend_->blend(askers_.profile(plan.asker), plan.asker.view.items, ranking_->rows(part.query), ranking_->scores(part.query), plan.k,
                [&](ItemIndex item) { return is_eligible(item, eligibility); });
  head_.clear();
  if (plan.include_purchased) rank_repurchases(plan.asker.view, {.filter = part.selection.bitmap, .excluded = plan.listed}, plan.k, head_);
  mix_answer(head_, blend_->rows(), blend_->scores(), served_.artifact().repurchase.share, plan.k, part.rows);
}

void RecommendBatch::answer_popularly(const Plan& plan, Part& part) const {
  for (const ItemIndex item : served_.by_popularity()) {
    if (part.rows.size() == static_cast<size_t>(plan.k)) return;
    if (!is_eligible(item, {plan.excluded, part.selection.bitmap})) continue;
    part.rows.push_back({.item = item, .score = static_cast<float>(served_.customers_of(item)), .source = AnswerSource::kModel});
  }
}

void RecommendBatch::write_rows(Plan& plan) const {
  plan.response->mutable_results()->Reserve(plan.k);
  const v1::Source source = plan.known ? v1::SOURCE_MODEL : v1::SOURCE_FALLBACK_POPULAR;
  const auto write = [&](const AnswerRow& row) {
    write_item(served_, row.item, row.score, row.source == AnswerSource::kModel ? source : v1::SOURCE_REPURCHASE,
               plan.response->add_results());
  };
  if (plan.parts.size() == 1) {
    for (const AnswerRow& row : plan.parts[0].rows) write(row);
    return;
  }
  std::vector<double> shares;
  std::vector<int64_t> available;
  for (const Part& part : plan.parts) {
    shares.push_back(part.share);
    available.push_back(static_cast<int64_t>(part.rows.size()));
  }
  std::vector<size_t> next(plan.parts.size(), 0);
  for (const int32_t p : interleave_by_shares(shares, available, plan.k)) {
    const auto at = static_cast<size_t>(p);
    write(plan.parts[at].rows[next[at]++]);
  }
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

}  // namespace bouquet::server
