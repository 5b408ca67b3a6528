#include "server/cross_sell_batch.h"

#include <algorithm>
#include <cmath>

#include "absl/container/flat_hash_map.h"
#include "engine/score.h"
#include "server/answer_rows.h"
#include "server/item_reasons.h"
#include "server/similar_batch.h"

namespace bouquet::server {
namespace {

void add_partners(const CoPurchases& pairs, ItemIndex item, const Eligibility& eligibility,
                  absl::flat_hash_map<ItemIndex, CoPurchase>& candidates) {
  const double baskets = pairs.item_baskets[item];
  for (int64_t e = pairs.offsets[item]; e < pairs.offsets[item + 1]; ++e) {
    const int32_t common = pairs.counts[e];
    if (common < kMinCommonBaskets) return;  // partners stand by falling count
    const ItemIndex partner = pairs.partners[e];
    if (!is_eligible(partner, eligibility)) continue;
    const double partner_baskets = pairs.item_baskets[partner];
    CoPurchase& candidate = candidates[partner];
    candidate.item = partner;
    candidate.score += common / std::sqrt(baskets * partner_baskets);
    const double confidence = common / baskets;
    if (confidence <= candidate.confidence) continue;
    candidate.because = item;
    candidate.common = common;
    candidate.confidence = confidence;
    candidate.support = common / static_cast<double>(pairs.basket_count);
    candidate.lift = confidence * static_cast<double>(pairs.basket_count) / partner_baskets;
  }
}

}  // namespace

void find_co_purchases(const ServedModel& served, std::span<const ItemIndex> basket, const Eligibility& eligibility, int32_t k,
                       std::vector<CoPurchase>& found) {
  found.clear();
  const CoPurchases& pairs = served.artifact().co_purchases;
  if (pairs.offsets.empty()) return;
  absl::flat_hash_map<ItemIndex, CoPurchase> candidates;
  for (const ItemIndex item : basket) add_partners(pairs, item, eligibility, candidates);
  for (const auto& [item, candidate] : candidates) found.push_back(candidate);
  const auto kept = std::min(found.size(), static_cast<size_t>(k));
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(),
                    [](const CoPurchase& a, const CoPurchase& b) { return a.score != b.score ? a.score > b.score : a.item < b.item; });
  found.resize(kept);
}

void CrossSellBatch::add(const v1::CrossSellRequest& request, v1::CrossSellResponse* response, absl::Status* status) {
  const IdTable& ids = served_.artifact().item_ids;
  basket_.clear();
  for (const std::string& id : request.item_ids()) {
    if (const ItemIndex item = ids.find(id); item != kNone)
      basket_.push_back(item);
    else
      response->add_unknown_item_ids(id);
  }
  if (basket_.empty()) {
    *status = unknown_item(ids, request.item_ids(0));
    return;
  }
  auto wanted = wanted_rows(served_, settings_.placements, row_question(request, false));
  if (!wanted.ok()) {
    *status = wanted.status();
    return;
  }
  make_ascending_set(basket_);
  excluded_ = basket_;
  append_known(ids, request.exclude_item_ids(), excluded_);
  make_ascending_set(excluded_);
  if (size_ == plans_.size()) plans_.emplace_back();
  Plan& plan = plans_[size_++];
  plan.response = response;
  plan.status = status;
  plan.k = wanted->k;
  plan.placement = &request.placement();
  plan.query = kNone;
  plan.selection = std::move(wanted->selection);
  plan.basket = basket_;
  plan.explain = request.explain() != v1::EXPLAIN_UNSPECIFIED;
  const BitmapView filter = plan.selection.bitmap;
  find_co_purchases(served_, basket_, {excluded_, filter}, plan.k, plan.found);
  const int32_t missing = plan.k - static_cast<int32_t>(plan.found.size());
  if (missing == 0) return;
  for (const CoPurchase& row : plan.found) excluded_.push_back(row.item);
  make_ascending_set(excluded_);
  plan.query = rank_by_direction(basket_, {excluded_, filter}, missing);
}

// Ranks by the cosine with the mean of the basket's unit vectors. kNone if that mean is zero: it points nowhere.
int32_t CrossSellBatch::rank_by_direction(std::span<const ItemIndex> basket, const Eligibility& eligibility, int32_t k) {
  std::vector<double> sum(static_cast<size_t>(served_.dimension()), 0);
  for (const ItemIndex item : basket) {
    const auto unit = served_.unit_vector(item);
    for (size_t j = 0; j < sum.size(); ++j) sum[j] += unit[j];
  }
  double square = 0;
  for (const double x : sum) square += x * x;
  if (square == 0) return kNone;
  direction_.resize(sum.size());
  for (size_t j = 0; j < sum.size(); ++j) direction_[j] = static_cast<float>(sum[j] / std::sqrt(square));
  return ranking_->add_vector(direction_, eligibility, k);
}

ItemIndex CrossSellBatch::nearest_in_basket(ItemIndex item, std::span<const ItemIndex> basket) const {
  ItemIndex nearest = basket[0];
  float best = -2;
  for (const ItemIndex candidate : basket)
    if (const float cosine = score(served_.unit_vector(item).data(), served_.unit_vector(candidate).data(), served_.dimension());
        cosine > best) {
      best = cosine;
      nearest = candidate;
    }
  return nearest;
}

void CrossSellBatch::finish(const absl::Status& ranked) {
  for (size_t i = 0; i < size_; ++i) {
    const Plan& plan = plans_[i];
    *plan.status = plan.query == kNone ? absl::OkStatus() : ranked;
    if (plan.status->ok()) write(plan);
  }
}

void CrossSellBatch::write(const Plan& plan) const {
  for (const CoPurchase& found : plan.found) {
    v1::CrossSellItem* row = plan.response->add_results();
    write_item(served_, found.item, static_cast<float>(found.score), v1::SOURCE_CO_PURCHASE, row->mutable_item());
    const auto because = served_.artifact().item_ids.id(found.because);
    row->mutable_because_item_id()->assign(because.data(), because.size());
    row->set_common_baskets(found.common);
    row->set_support(found.support);
    row->set_confidence(found.confidence);
    row->set_lift(found.lift);
    if (plan.explain) add_basket_reason(served_, found.because, found.common, row->mutable_item());
  }
  if (plan.query != kNone) {
    const auto rows = ranking_->rows(plan.query);
    const auto scores = ranking_->scores(plan.query);
    for (size_t i = 0; i < rows.size(); ++i) {
      v1::RecommendedItem* row = plan.response->add_results()->mutable_item();
      write_item(served_, rows[i], std::clamp(scores[i], -1.0f, 1.0f), v1::SOURCE_ITEM_SIMILARITY, row);
      if (plan.explain) add_pair_reasons(served_, nearest_in_basket(rows[i], plan.basket), rows[i], row);
    }
    if (!rows.empty()) plan.response->add_shortfall(v1::SHORTFALL_FEW_BASKETS);
  }
  plan.response->set_model_version(served_.version());
  plan.response->set_backend(served_.backend_name());
  if (settings_.names != nullptr)
    plan.response->set_recommendation_id(settings_.names->seal(name_now("CrossSell", served_.version(), *plan.placement, plan.k)));
  add_shortfall(served_, plan.k, plan.response->results_size(), plan.response);
}

}  // namespace bouquet::server
