#include "server/profile_answers.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "engine/explanation.h"
#include "engine/score.h"
#include "engine/score_variance.h"
#include "server/answer_rows.h"
#include "server/category_means.h"
#include "server/explanation_rows.h"
#include "server/request_limits.h"
#include "server/used_attributes.h"

namespace bouquet::server {

void ProfileAnswers::add(const v1::GetProfileRequest& request, const WireAttributes* wire, v1::Profile* response, absl::Status* status) {
  if (size_ == plans_.size()) plans_.emplace_back();
  Plan& plan = plans_[size_];
  plan.request = &request;
  plan.response = response;
  plan.status = status;
  plan.question = kNone;
  Subject subject = subject_of(request, wire);
  *status = placements_.check(request.placement());
  if (status->ok()) *status = askers_.complete(subject);
  if (status->ok()) *status = askers_.read(subject, true, plan.asker);
  if (status->ok()) ++size_;
}

void ProfileAnswers::hand_over() {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    *plan.status = askers_.status(plan.asker);
    if (!plan.status->ok() || plan.request->neighbors() == 0) continue;
    const auto profile = askers_.profile(plan.asker);
    if (profile.empty()) continue;
    const auto question = nearest_.add(profile, plan.asker.rows, plan.request->neighbors());
    *plan.status = question.status();
    if (question.ok()) plan.question = *question;
  }
}

void ProfileAnswers::finish(const absl::Status& ranked) {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    if (plan.status->ok() && plan.question != kNone) *plan.status = ranked;
    if (plan.status->ok()) write(plan);
  }
}

void ProfileAnswers::write(Plan& plan) {
  v1::Profile& out = *plan.response;
  out.set_model_version(served_.version());
  out.set_backend(served_.backend_name());
  out.set_customer_id(plan.request->customer_id());
  out.set_known(plan.asker.customer != kNone);
  out.set_profile_version(plan.asker.version);
  out.set_events_used(static_cast<int32_t>(plan.asker.view.items.size()));
  write_history(plan);
  const auto profile = askers_.profile(plan.asker);
  if (plan.request->embedding()) {
    out.mutable_embedding()->Resize(served_.dimension(), 0);
    std::copy(profile.begin(), profile.end(), out.mutable_embedding()->begin());
  }
  if (profile.empty()) return;
  out.set_attributes_used(plan.asker.attributes_used);
  if (fold_in_->has_prior()) add_used_attributes(served_.artifact().customer_attributes.schema, plan.asker.attributes, &out);
  if (plan.question != kNone) nearest_.write(plan.question, out.mutable_neighbors());
  const auto customer = fold_in_->solved(plan.asker.fold_in, cholesky_);
  *plan.status = customer.status();
  if (plan.status->ok()) *plan.status = write_confidence(plan);
  if (plan.status->ok()) write_interests(plan, *customer);
}

absl::Status ProfileAnswers::write_confidence(const Plan& plan) {
  if (empty_cholesky_.empty()) {
    auto empty = empty_cholesky_of(served_.artifact().model);
    if (!empty.ok()) return empty.status();
    empty_cholesky_ = *std::move(empty);
  }
  plan.response->set_confidence(profile_confidence(served_.artifact().model, cholesky_, empty_cholesky_));
  return absl::OkStatus();
}

void ProfileAnswers::write_history(const Plan& plan) const {
  const std::vector<HistoryEntry>& history = plan.asker.history;
  std::vector<size_t> order(history.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return history[a].confidence > history[b].confidence; });
  order.resize(std::min(order.size(), static_cast<size_t>(plan.request->history())));
  for (const size_t j : order) {
    v1::HistoryItem* row = plan.response->add_history();
    row->set_item_id(std::string(served_.artifact().item_ids.id(history[j].item)));
    served_.catalog().describe(history[j].item, [&](ItemKind, std::string_view title, std::string_view category) {
      row->set_title(std::string(title));
      row->set_category(std::string(category));
    });
    row->set_weight(history[j].confidence);
    row->set_returned(history[j].target == 0);
    row->set_purchased(history[j].consumed);
  }
}

void ProfileAnswers::write_interests(const Plan& plan, const SolvedCustomer& customer) {
  const CategoryMeans& means = served_.categories();
  const int32_t d = served_.dimension();
  std::vector<size_t> order(means.names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<double> above;
  for (size_t c = 0; c < order.size(); ++c)
    above.push_back(double{score(customer.profile.data(), means.matrix(d).row(static_cast<int64_t>(c)).data(), d)} - means.averages[c]);
  const int32_t wanted = plan.request->interests() == 0 ? kDefaultInterests : plan.request->interests();
  const auto kept = std::min(order.size(), static_cast<size_t>(wanted));
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(kept),
                            [&](size_t a, size_t b) { return above[a] != above[b] ? above[a] > above[b] : a < b; });
  order.resize(kept);
  if (order.empty()) return;
  std::vector<float> directions;
  for (const size_t c : order) {
    const auto row = means.matrix(d).row(static_cast<int64_t>(c));
    directions.insert(directions.end(), row.begin(), row.end());
  }
  const auto explanations = explain(served_.artifact().model, customer, {directions.data(), static_cast<int64_t>(kept), d});
  std::vector<int32_t> history_items(means.names.size(), 0);
  for (const int32_t item : plan.asker.view.items)
    if (const int32_t c = means.category_of[static_cast<size_t>(item)]; c != kNone) ++history_items[static_cast<size_t>(c)];
  const v1::Explain how = plan.request->explain() == v1::EXPLAIN_FULL ? v1::EXPLAIN_FULL : v1::EXPLAIN_TOP;
  for (size_t i = 0; i < kept; ++i) {
    const size_t c = order[i];
    v1::Interest* interest = plan.response->add_interests();
    interest->set_category(means.names[c]);
    interest->set_score(explanations[i].score);
    interest->set_average(means.averages[c]);
    interest->set_items(means.item_counts[c]);
    interest->set_history_items(history_items[c]);
    v1::RecommendedItem explained;
    write_explanation(served_, explanations[i], customer.items, how, &explained);
    interest->mutable_contributions()->Swap(explained.mutable_contributions());
    interest->mutable_reasons()->Swap(explained.mutable_reasons());
  }
}

}  // namespace bouquet::server
