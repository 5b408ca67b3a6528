#include "server/recommend_batch.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "engine/score_variance.h"
#include "server/answer_rows.h"
#include "server/explanation_rows.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

constexpr int32_t kUpperBoundFactor = 5, kLeastUpperBoundRows = 100;

uint64_t drawn_seed() {
  thread_local std::mt19937_64 random{(uint64_t{std::random_device{}()} << 32) ^ std::random_device{}()};
  uint64_t seed = 0;
  while (seed == 0) seed = random();
  return seed;
}

}  // namespace

void RecommendBatch::add(const v1::RecommendRequest& request, const WireAttributes* wire, v1::RecommendResponse* response,
                         absl::Status* status) {
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
  plan.drawn.clear();
  *status = read_exploration(request, plan);
  if (!status->ok()) return;
  const bool solved = plan.explain != v1::EXPLAIN_UNSPECIFIED || plan.exploration || plan.include_stddev;
  *status = askers_.read(subject_of(request, wire), solved, plan.asker);
  if (!status->ok()) return;
  ++size_;
  plan.listed = plan.asker.context;
  append_known(served_.artifact().item_ids, request.exclude_item_ids(), plan.listed);
  make_ascending_set(plan.listed);
  exclude_consumed(plan);
  if (ranking_ != nullptr && plan.asker.stored && !askers_.profile(plan.asker).empty()) rank_stored(plan);
}

absl::Status RecommendBatch::read_exploration(const v1::RecommendRequest& request, Plan& plan) {
  plan.include_stddev = request.include_stddev();
  plan.exploration.reset();
  if (request.has_exploration()) {
    plan.exploration = request.exploration();
    if (plan.exploration->scale() == 0) plan.exploration->set_scale(1);
    if (plan.exploration->method() == v1::EXPLORATION_METHOD_THOMPSON && plan.exploration->seed() == 0)
      plan.exploration->set_seed(drawn_seed());
  }
  if ((plan.include_stddev || plan.exploration) && !served_.artifact().uncertainty.known())
    return absl::FailedPreconditionError(
        "this model does not know how sure its scores are: nothing, or too little, was held back when it was trained. Train with a "
        "--validation, "
        "or ask without exploration and include_stddev");
  return absl::OkStatus();
}

bool RecommendBatch::explores(const Plan& plan, v1::ExplorationMethod method) const {
  return plan.exploration && plan.exploration->method() == method;
}

int32_t RecommendBatch::ranked_rows(const Plan& plan) const {
  if (!explores(plan, v1::EXPLORATION_METHOD_UCB)) return plan.k;
  return std::max(plan.k, std::min(std::max(kUpperBoundFactor * plan.k, kLeastUpperBoundRows), kMaxRequestK));
}

absl::StatusOr<std::span<const float>> RecommendBatch::ranking_profile(Plan& plan) {
  const auto profile = askers_.profile(plan.asker);
  if (profile.empty() || !explores(plan, v1::EXPLORATION_METHOD_THOMPSON)) return profile;
  const auto customer = fold_in_->solved(plan.asker.fold_in, cholesky_);
  if (!customer.ok()) return customer.status();
  const double scale = plan.exploration->scale();
  plan.drawn = drawn_profile({profile, cholesky_}, scale * scale * served_.artifact().uncertainty.noise_variance, plan.exploration->seed());
  return std::span<const float>(plan.drawn);
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
    if (plan.asker.fold_in == kNone && plan.asker.fresh == nullptr) continue;
    *plan.status = askers_.status(plan.asker);
    if (!plan.status->ok()) continue;
    askers_.keep(plan.asker);
    const auto profile = ranking_profile(plan);
    *plan.status = profile.status();
    if (!profile.ok() || profile->empty()) continue;
    plan.known = true;
    for (Part& part : plan.parts) part.query = ranking_->add_vector(*profile, {plan.excluded, part.selection.bitmap}, ranked_rows(plan));
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
    plan.response->set_profile_version(plan.asker.version);
    if (plan.exploration) *plan.response->mutable_exploration() = *plan.exploration;
    *plan.status = solve_again(plan);
    if (!plan.status->ok()) return;
    for (Part& part : plan.parts) answer_personally(plan, part);
  } else {
    solved_.reset();
    plan.response->add_shortfall(v1::SHORTFALL_COLD_CUSTOMER);
    for (Part& part : plan.parts) answer_popularly(plan, part);
  }
  write_rows(plan);
  if (solved_) explain_and_deviate(plan);
  add_shortfall(served_, plan.k, plan.response->results_size(), plan.response);
}

absl::Status RecommendBatch::solve_again(const Plan& plan) {
  solved_.reset();
  if (plan.explain == v1::EXPLAIN_UNSPECIFIED && !plan.include_stddev && !explores(plan, v1::EXPLORATION_METHOD_UCB))
    return absl::OkStatus();
  auto customer = fold_in_->solved(plan.asker.fold_in, cholesky_);
  if (customer.ok()) solved_ = *customer;
  return customer.status();
}

void RecommendBatch::answer_personally(const Plan& plan, Part& part) {
  const Eligibility eligibility{plan.excluded, part.selection.bitmap};
  const auto profile = plan.drawn.empty() ? askers_.profile(plan.asker) : std::span<const float>(plan.drawn);
  blend_->blend(profile, plan.asker.view.items, ranking_->rows(part.query), ranking_->scores(part.query), ranked_rows(plan),
                [&](ItemIndex item) { return is_eligible(item, eligibility); });
  head_.clear();
  if (plan.include_purchased) rank_repurchases(plan.asker.view, {.filter = part.selection.bitmap, .excluded = plan.listed}, plan.k, head_);
  const double share = served_.artifact().repurchase.share;
  if (!explores(plan, v1::EXPLORATION_METHOD_UCB)) return mix_answer(head_, blend_->rows(), blend_->scores(), share, plan.k, part.rows);
  rows_.assign(blend_->rows().begin(), blend_->rows().end());
  scores_.assign(blend_->scores().begin(), blend_->scores().end());
  rank_by_upper_bound(plan);
  mix_answer(head_, rows_, scores_, share, plan.k, part.rows);
}

// Of the items in rows_.
std::vector<double> RecommendBatch::deviations() const {
  const Artifact& artifact = served_.artifact();
  return score_deviations(artifact.model, artifact.uncertainty, {solved_->profile, solved_->cholesky}, rows_);
}

void RecommendBatch::rank_by_upper_bound(const Plan& plan) {
  rows_.erase(std::find(rows_.begin(), rows_.end(), kNone), rows_.end());
  const std::vector<double> deviation = deviations();
  std::vector<std::pair<float, int32_t>> order;
  for (size_t i = 0; i < rows_.size(); ++i)
    order.emplace_back(static_cast<float>(double{scores_[i]} + plan.exploration->scale() * deviation[i]), rows_[i]);
  std::sort(order.begin(), order.end(),
            [](const auto& a, const auto& b) { return a.first > b.first || (a.first == b.first && a.second < b.second); });
  order.resize(std::min(order.size(), static_cast<size_t>(plan.k)));
  rows_.clear();
  scores_.clear();
  for (const auto& [bound, row] : order) {
    rows_.push_back(row);
    scores_.push_back(bound);
  }
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
  const v1::Source source = !plan.known ? v1::SOURCE_FALLBACK_POPULAR : plan.exploration ? v1::SOURCE_EXPLORATION : v1::SOURCE_MODEL;
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

void RecommendBatch::explain_and_deviate(Plan& plan) {
  offered_.clear();
  rows_.clear();
  for (v1::RecommendedItem& row : *plan.response->mutable_results()) {
    if (row.source() != v1::SOURCE_MODEL) continue;
    offered_.push_back(&row);
    rows_.push_back(served_.artifact().item_ids.find(row.item_id()));
  }
  if (plan.explain != v1::EXPLAIN_UNSPECIFIED) explain_rows(served_, *solved_, *blend_, plan.explain, offered_);
  if (!plan.include_stddev || offered_.empty()) return;
  const std::vector<double> deviation = deviations();
  for (size_t i = 0; i < offered_.size(); ++i) offered_[i]->set_stddev(deviation[i]);
}

}  // namespace bouquet::server
