#include "server/explain_batch.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/answer_rows.h"
#include "server/explanation_rows.h"

namespace bouquet::server {

void ExplainBatch::add(const v1::ExplainRequest& request, const WireAttributes* wire, v1::ExplainResponse* response, absl::Status* status) {
  if (size_ == plans_.size()) plans_.emplace_back();
  Plan& plan = plans_[size_];
  plan.response = response;
  plan.status = status;
  plan.how = request.explain() == v1::EXPLAIN_FULL ? v1::EXPLAIN_FULL : v1::EXPLAIN_TOP;
  *status = placements_.check(request.placement());
  if (!status->ok()) return;
  auto offered = served_.catalog().select(kAllKinds, {});
  *status = offered.status();
  if (!status->ok()) return;
  plan.offered = *std::move(offered);
  Subject subject = subject_of(request, wire);
  *status = askers_.complete(subject);
  if (status->ok()) *status = askers_.read(subject, true, plan.asker);
  if (!status->ok()) return;
  plan.items.clear();
  for (const std::string& id : request.item_ids()) {
    if (const ItemIndex item = served_.artifact().item_ids.find(id); item != kNone)
      plan.items.push_back(item);
    else
      response->add_unknown_item_ids(id);
  }
  ++size_;
}

void ExplainBatch::finish() {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    *plan.status = askers_.status(plan.asker);
    if (plan.status->ok()) write(plan);
  }
}

void ExplainBatch::write(Plan& plan) {
  plan.response->set_model_version(served_.version());
  plan.response->set_backend(served_.backend_name());
  for (const ItemIndex item : plan.items)
    if (!is_offered(plan, item)) plan.response->add_not_offered_item_ids(std::string(served_.artifact().item_ids.id(item)));
  if (const auto profile = askers_.profile(plan.asker); !profile.empty()) return write_personal(plan, profile);
  plan.response->add_shortfall(v1::SHORTFALL_COLD_CUSTOMER);
  for (const ItemIndex item : plan.items) {
    const int32_t customers = served_.customers_of(item);
    v1::RecommendedItem* row = plan.response->add_results();
    write_item(served_, item, static_cast<float>(customers), v1::SOURCE_FALLBACK_POPULAR, row);
    row->add_reasons("bought by " + std::to_string(customers) + (customers == 1 ? " customer" : " customers"));
  }
}

void ExplainBatch::write_personal(Plan& plan, std::span<const float> profile) {
  plan.response->set_events_used(static_cast<int32_t>(plan.asker.view.items.size()));
  plan.response->set_attributes_used(plan.asker.attributes_used);
  plan.response->set_profile_version(plan.asker.version);
  const auto customer = fold_in_->solved(plan.asker.fold_in, cholesky_);
  *plan.status = customer.status();
  if (!customer.ok()) return;
  blend_->blend(profile, plan.asker.view.items, {}, {}, 0, [](ItemIndex) { return false; });
  rows_.clear();
  for (const ItemIndex item : plan.items) {
    rows_.push_back(plan.response->add_results());
    write_item(served_, item, blend_->score_of(profile, item), v1::SOURCE_MODEL, rows_.back(), !plan.asker.view.items.empty());
  }
  explain_rows(served_, *customer, *blend_, plan.how, rows_);
}

bool ExplainBatch::is_offered(const Plan& plan, ItemIndex item) const {
  const auto& history = plan.asker.view.items;
  const auto at = std::lower_bound(history.begin(), history.end(), item);
  if (at != history.end() && *at == item && plan.asker.view.consumed[static_cast<size_t>(at - history.begin())] != 0) return false;
  return is_eligible(item, {plan.asker.context, plan.offered.bitmap});
}

}  // namespace bouquet::server
