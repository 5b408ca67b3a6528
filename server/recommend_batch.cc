#include "server/recommend_batch.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

#include "engine/score.h"
#include "engine/score_variance.h"
#include "server/answer_rows.h"
#include "server/bad_request.h"
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

absl::Status attributes_of_a_group() {
  FieldViolations violations;
  violations.add("attributes", "cannot be combined with group: they are of one asker");
  return violations.status();
}

}  // namespace

void RecommendBatch::add(const v1::RecommendRequest& request, const WireAttributes* wire, v1::RecommendResponse* response,
                         absl::Status* status) {
  if (size_ == plans_.size()) plans_.emplace_back();
  Plan& plan = plans_[size_];
  plan.response = response;
  plan.status = status;
  plan.wire = wire;
  plan.own_attributes = !SentAttributes{request.attributes(), wire}.empty() || request.has_packed_attributes();
  *status = read(request, plan);
  if (status->ok()) *status = read_askers(wire, plan);
  if (!status->ok()) return;
  ++size_;
  exclude(plan);
  if (ranking_ != nullptr && !plan.of_group && plan.asker.stored && !askers_.profile(plan.asker).empty()) rank_stored(plan);
}

absl::Status RecommendBatch::read(const v1::RecommendRequest& request, Plan& plan) {
  plan.request = &request;
  plan.repeats.reset();
  if (request.as_of().has_recommendation_id())
    if (absl::Status s = read_repeated(request, plan); !s.ok()) return s;
  auto wanted = wanted_rows(served_, settings_.placements, row_question(*plan.request, true));
  if (!wanted.ok()) return wanted.status();
  plan.k = wanted->k;
  plan.parts.resize(std::max(wanted->kinds.size(), size_t{1}));
  plan.parts[0] = {.share = 1, .selection = std::move(wanted->selection), .query = kNone, .rows = {}};
  for (size_t p = 0; p < wanted->kinds.size(); ++p)
    plan.parts[p] = {.share = wanted->kinds[p].share, .selection = std::move(wanted->kinds[p].selection), .query = kNone, .rows = {}};
  plan.known = false;
  plan.drawn.clear();
  return read_exploration(plan);
}

absl::Status RecommendBatch::read_repeated(const v1::RecommendRequest& request, Plan& plan) {
  auto name = named_answer(request.as_of(), settings_.names);
  if (!name.ok()) return name.status();
  if (request.has_visitor())
    if (absl::Status s = AnswerNames::check_visitor(*name); !s.ok()) return s;
  plan.repeats = *std::move(name);
  plan.repeated = request;
  if (absl::Status s = read_kept(plan); !s.ok()) return s;
  auto repeated = settings_.names->repeated(*plan.repeats, plan.repeated, plan.own_attributes);
  if (!repeated.ok()) return repeated.status();
  plan.repeated = *std::move(repeated);
  plan.request = &plan.repeated;
  return absl::OkStatus();
}

// What is gone is missed by AnswerNames::repeated, unless the request has it.
absl::Status RecommendBatch::read_kept(Plan& plan) const {
  if (plan.repeats->log() == 0 || settings_.inputs == nullptr) return absl::OkStatus();
  const auto kept = settings_.inputs->read(*plan.repeats, plan.repeated.customer_id());
  if (absl::IsNotFound(kept.status()) && !plan.repeated.has_visitor()) return absl::OkStatus();
  if (absl::IsNotFound(kept.status())) return inputs_missing(*plan.repeats, "visitor.events");
  if (!kept.ok()) return kept.status();
  complete(*kept, plan.own_attributes, plan.repeated);
  plan.own_attributes = plan.own_attributes || plan.repeats->own_attributes();
  return absl::OkStatus();
}

absl::Status RecommendBatch::read_exploration(Plan& plan) {
  plan.exploration.reset();
  if (plan.request->has_exploration()) {
    plan.exploration = plan.request->exploration();
    if (plan.exploration->scale() == 0) plan.exploration->set_scale(1);
    if (plan.exploration->method() == v1::EXPLORATION_METHOD_THOMPSON && plan.exploration->seed() == 0)
      plan.exploration->set_seed(drawn_seed());
  }
  if ((plan.request->include_stddev() || plan.exploration) && !served_.artifact().uncertainty.known())
    return absl::FailedPreconditionError(
        "this model does not know how sure its scores are: nothing, or too little, was held back when it was trained. Train with a "
        "--validation, "
        "or ask without exploration and include_stddev");
  return absl::OkStatus();
}

absl::Status RecommendBatch::read_askers(const WireAttributes* wire, Plan& plan) {
  const v1::RecommendRequest& request = *plan.request;
  std::vector<const std::string*> ids;
  if (request.has_group())
    for (const std::string& id : request.group().customer_ids()) ids.push_back(&id);
  else if (request.has_customer_id())
    ids.push_back(&request.customer_id());
  plan.of_group = request.has_group() && request.recipient_id().empty();
  if (plan.of_group) {
    if (plan.own_attributes) return attributes_of_a_group();
    return plan.group.read(ids, request, askers_);
  }
  Subject subject = subject_of(request, wire);
  if (!request.recipient_id().empty()) {
    if (absl::Status s = plan.givers.read(ids, request, askers_); !s.ok()) return s;
    subject.customer_id = &request.recipient_id();
  }
  const bool solved = request.explain() != v1::EXPLAIN_UNSPECIFIED || plan.exploration || request.include_stddev();
  return askers_.read(subject, solved, plan.asker);
}

bool RecommendBatch::explores(const Plan& plan, v1::ExplorationMethod method) const {
  return plan.exploration && plan.exploration->method() == method;
}

// Of the group's least scores: the best of many means are looked at, and none that is left out is better than the last of those.
int32_t RecommendBatch::ranked_rows(const Plan& plan) const {
  if (by_least_score(plan)) return kMaxRequestK;
  if (!explores(plan, v1::EXPLORATION_METHOD_UCB)) return plan.k;
  return std::max(plan.k, std::min(std::max(kUpperBoundFactor * plan.k, kLeastUpperBoundRows), kMaxRequestK));
}

absl::StatusOr<std::span<const float>> RecommendBatch::ranking_profile(Plan& plan) {
  if (plan.of_group) return plan.group.mean();
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

void RecommendBatch::exclude(Plan& plan) {
  plan.listed = plan.of_group ? plan.group.context() : plan.asker.context;
  append_known(served_.artifact().item_ids, plan.request->exclude_item_ids(), plan.listed);
  const auto append_consumed = [](const HistoryView& view, std::vector<ItemIndex>& items) {
    for (size_t i = 0; i < view.items.size(); ++i)
      if (view.consumed[i] != 0) items.push_back(view.items[i]);
  };
  if (!plan.request->recipient_id().empty()) append_consumed(plan.givers.history(), plan.listed);
  make_ascending_set(plan.listed);
  consumed_.clear();
  append_consumed(history(plan), consumed_);
  plan.excluded.clear();
  std::set_union(plan.listed.begin(), plan.listed.end(), consumed_.begin(), consumed_.end(), std::back_inserter(plan.excluded));
}

void RecommendBatch::hand_over() {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    if (plan.known || ranking_ == nullptr) continue;
    *plan.status = plan.of_group ? plan.group.close(askers_, served_.dimension()) : askers_.status(plan.asker);
    if (!plan.status->ok()) continue;
    if (!plan.of_group) askers_.keep(plan.asker);
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
    plan.response->set_events_used(static_cast<int32_t>(history(plan).items.size()));
    plan.response->set_attributes_used(plan.of_group ? plan.group.attributes_used() : plan.asker.attributes_used);
    plan.response->set_profile_version(version(plan));
    if (plan.exploration) *plan.response->mutable_exploration() = *plan.exploration;
    *plan.status = solve_again(plan);
    if (!plan.status->ok()) return;
    for (Part& part : plan.parts) answer_personally(plan, part);
  } else {
    solved_.reset();
    plan.response->add_shortfall(v1::SHORTFALL_COLD_CUSTOMER);
    for (Part& part : plan.parts) answer_popularly(plan, part);
  }
  if (plan.of_group)
    for (const std::string* id : plan.group.unknown()) plan.response->add_unknown_customer_ids(*id);
  write_rows(plan);
  if (solved_) explain_and_deviate(plan);
  if (settings_.names != nullptr) name(plan);
  add_shortfall(served_, plan.k, plan.response->results_size(), plan.response);
}

void RecommendBatch::name(const Plan& plan) const {
  AnswerName name = name_now(kRecommendMethod, served_.version(), plan.request->placement(), plan.k);
  name.set_profile_version(version(plan));
  settings_.names->set_asked(*plan.request, plan.own_attributes, name);
  if (plan.exploration) {
    name.set_exploration(plan.exploration->method());
    name.set_exploration_scale(plan.exploration->scale());
    name.set_seed(plan.exploration->seed());
  }
  keep_inputs(plan, name);
  plan.response->set_recommendation_id(settings_.names->seal(name));
}

// What an answer that is made again was asked is where it was.
void RecommendBatch::keep_inputs(const Plan& plan, AnswerName& name) const {
  if (plan.repeats) return name.set_log(plan.repeats->log());
  if (settings_.log == nullptr) return;
  std::string inputs = inputs_of(*plan.request, plan.wire);
  if (!inputs.empty()) settings_.log->keep(plan.request->customer_id(), std::move(inputs), name);
}

absl::Status RecommendBatch::solve_again(const Plan& plan) {
  solved_.reset();
  if (plan.request->explain() == v1::EXPLAIN_UNSPECIFIED && !plan.request->include_stddev() && !explores(plan, v1::EXPLORATION_METHOD_UCB))
    return absl::OkStatus();
  auto customer = fold_in_->solved(plan.asker.fold_in, cholesky_);
  if (customer.ok()) solved_ = *customer;
  return customer.status();
}

void RecommendBatch::answer_personally(Plan& plan, Part& part) {
  head_.clear();
  if (plan.request->include_purchased())
    rank_repurchases(history(plan), {.filter = part.selection.bitmap, .excluded = plan.listed}, plan.k, head_);
  rank_by_model(plan, part);
  mix_answer(head_, rows_, scores_, served_.artifact().repurchase.share, plan.k, part.rows);
}

void RecommendBatch::rank_by_model(Plan& plan, const Part& part) {
  const auto take = [&](std::span<const int32_t> rows, std::span<const float> scores) {
    rows_.assign(rows.begin(), rows.end());
    scores_.assign(scores.begin(), scores.end());
  };
  if (by_least_score(plan)) {
    take(ranking_->rows(part.query), ranking_->scores(part.query));
    return rank_by_least_score(plan);
  }
  const Eligibility eligibility{plan.excluded, part.selection.bitmap};
  const auto profile = plan.of_group        ? plan.group.mean()
                       : plan.drawn.empty() ? askers_.profile(plan.asker)
                                            : std::span<const float>(plan.drawn);
  blend_->blend(profile, history(plan).items, ranking_->rows(part.query), ranking_->scores(part.query), ranked_rows(plan),
                [&](ItemIndex item) { return is_eligible(item, eligibility); });
  take(blend_->rows(), blend_->scores());
  if (explores(plan, v1::EXPLORATION_METHOD_UCB)) rank_by_upper_bound(plan);
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
  keep_best(order, plan.k);
}

void RecommendBatch::rank_by_least_score(const Plan& plan) {
  const MatrixView<const float> items = served_.artifact().model.item_matrix();
  std::vector<std::pair<float, int32_t>> order;
  for (const int32_t row : rows_) order.emplace_back(plan.group.least_score(items.row(row).data()), row);
  keep_best(order, plan.k);
}

void RecommendBatch::keep_best(std::vector<std::pair<float, int32_t>>& order, int32_t k) {
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return ranks_before(a.first, a.second, b.first, b.second); });
  order.resize(std::min(order.size(), static_cast<size_t>(k)));
  rows_.clear();
  scores_.clear();
  for (const auto& [score, row] : order) {
    rows_.push_back(row);
    scores_.push_back(score);
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
  const bool observed = !plan.of_group && !plan.asker.view.items.empty();
  const auto write = [&](const AnswerRow& row) {
    write_item(served_, row.item, row.score, row.source == AnswerSource::kModel ? source : v1::SOURCE_REPURCHASE,
               plan.response->add_results(), observed);
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
  const bool explains = plan.request->explain() != v1::EXPLAIN_UNSPECIFIED;
  for (v1::RecommendedItem& row : *plan.response->mutable_results()) {
    if (row.source() == v1::SOURCE_REPURCHASE && explains) explain_repurchase(served_, &row);
    if (row.source() != v1::SOURCE_MODEL) continue;
    offered_.push_back(&row);
    rows_.push_back(served_.artifact().item_ids.find(row.item_id()));
  }
  if (explains) explain_rows(served_, *solved_, *blend_, plan.request->explain(), offered_);
  if (!plan.request->include_stddev() || offered_.empty()) return;
  const std::vector<double> deviation = deviations();
  for (size_t i = 0; i < offered_.size(); ++i) offered_[i]->set_stddev(deviation[i]);
}

}  // namespace bouquet::server
