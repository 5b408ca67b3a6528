#include "server/nearest_customers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/request_limits.h"

namespace bouquet::server {

void NearestCustomers::clear() {
  if (ranking_) ranking_->clear();
}

absl::StatusOr<int32_t> NearestCustomers::add(std::span<const float> profile, std::span<const CustomerIndex> excluded, int32_t k) {
  if (!ranking_) {
    const auto similarity = served_.customer_similarity();
    if (!similarity.ok()) return similarity.status();
    auto ranking = RankingBatch::make(*(*similarity)->model, (*similarity)->unit_matrix, {.max_batch = max_batch_, .max_k = kMaxRequestK});
    if (!ranking.ok()) return ranking.status();
    ranking_ = *std::move(ranking);
    known_ = (*similarity)->known;
  }
  unit_ = unit_rows(profile, served_.dimension());
  return ranking_->add_vector(unit_, {excluded, {known_}}, k);
}

absl::Status NearestCustomers::rank() {
  if (!ranking_) return absl::OkStatus();
  // Questions have pointed to the bitmap since add().
  if (live_ != nullptr && live_->erased_count() != erased_) {
    erased_ = live_->erased_count();
    live_->take_out_erased(known_);
  }
  return ranking_->rank();
}

void NearestCustomers::write(int32_t question, google::protobuf::RepeatedPtrField<v1::SimilarCustomer>* results) const {
  const auto rows = ranking_->rows(question);
  const auto scores = ranking_->scores(question);
  for (size_t i = 0; i < rows.size(); ++i) {
    v1::SimilarCustomer* row = results->Add();
    row->set_customer_id(std::string(served_.artifact().customer_ids.id(rows[i])));
    row->set_score(std::clamp(scores[i], -1.0f, 1.0f));
  }
}

}  // namespace bouquet::server
