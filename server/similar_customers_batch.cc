#include "server/similar_customers_batch.h"

#include "server/answer_rows.h"
#include "server/request_limits.h"

namespace bouquet::server {

void SimilarCustomersBatch::add(const v1::SimilarCustomersRequest& request, const WireAttributes* wire,
                                v1::SimilarCustomersResponse* response, absl::Status* status) {
  if (size_ == plans_.size()) plans_.emplace_back();
  Plan& plan = plans_[size_];
  plan.response = response;
  plan.status = status;
  plan.k = rows_wanted(request.k());
  plan.question = kNone;
  *status = askers_.read(subject_of(request, wire), false, plan.asker);
  if (!status->ok()) return;
  plan.excluded = plan.asker.rows;
  append_known(served_.artifact().customer_ids, request.exclude_customer_ids(), plan.excluded);
  make_ascending_set(plan.excluded);
  ++size_;
}

void SimilarCustomersBatch::hand_over() {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    *plan.status = askers_.status(plan.asker);
    if (!plan.status->ok()) continue;
    askers_.keep(plan.asker);
    const auto profile = askers_.profile(plan.asker);
    if (profile.empty()) continue;
    const auto question = nearest_.add(profile, plan.excluded, plan.k);
    *plan.status = question.status();
    if (question.ok()) plan.question = *question;
  }
}

void SimilarCustomersBatch::finish(const absl::Status& ranked) {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    if (plan.status->ok() && plan.question != kNone) *plan.status = ranked;
    if (!plan.status->ok()) continue;
    plan.response->set_model_version(served_.version());
    plan.response->set_backend(served_.backend_name());
    if (plan.question == kNone) {
      plan.response->add_shortfall(v1::SHORTFALL_COLD_CUSTOMER);
      continue;
    }
    nearest_.write(plan.question, plan.response->mutable_results());
    if (plan.response->results_size() < plan.k) plan.response->add_shortfall(v1::SHORTFALL_FILTERED);
  }
}

}  // namespace bouquet::server
