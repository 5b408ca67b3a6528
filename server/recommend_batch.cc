#include "server/recommend_batch.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "server/answer_rows.h"
#include "server/bad_request.h"
#include "server/explanation_rows.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

// A stored history: what serving reads of it, and what a profile is solved from.
struct StoredHistory {
  HistoryView view;
  std::span<const float> confidences, targets;  // no targets: every one is 1
};

StoredHistory stored_history(const Histories& all, CustomerIndex customer) {
  if (all.offsets.empty()) return {};
  const auto begin = static_cast<size_t>(all.offsets[customer]);
  const auto size = static_cast<size_t>(all.offsets[customer + 1]) - begin;
  return {.view = {.items = all.items.view().subspan(begin, size),
                   .consumed = all.consumed.view().subspan(begin, size),
                   .repurchase = all.repurchase.view().subspan(begin, size)},
          .confidences = all.confidences.view().subspan(begin, size),
          .targets = all.targets.empty() ? std::span<const float>() : all.targets.view().subspan(begin, size)};
}

bool is_zero(std::span<const float> profile) {
  return std::all_of(profile.begin(), profile.end(), [](float x) { return x == 0; });
}

// Beyond this weight a matrix may not be positive definite in floating point: what was sent is to blame then, not the server.
constexpr float kSafeConfidence = 1e6f;

bool weighs_too_much(std::span<const HistoryEntry> history) {
  return std::any_of(history.begin(), history.end(), [](const HistoryEntry& entry) { return !(entry.confidence <= kSafeConfidence); });
}

absl::Status too_much_weight() {
  FieldViolations violations;
  violations.add("visitor.events", "weigh so much that no profile can be solved from them; send smaller values");
  return violations.status();
}

int64_t microseconds(const google::protobuf::Timestamp& time) { return time.seconds() * 1000000 + time.nanos() / 1000; }

}  // namespace

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
  plan.customer = kNone;
  plan.fold_in = plan.query = kNone;
  plan.history.clear();
  plan.events.clear();
  plan.context.clear();
  const Artifact& artifact = served_.artifact();
  append_known(artifact.item_ids, request.context_item_ids(), plan.context);
  make_ascending_set(plan.context);
  plan.listed = plan.context;
  append_known(artifact.item_ids, request.exclude_item_ids(), plan.listed);
  make_ascending_set(plan.listed);
  if (request.has_visitor()) {
    *status = read_events(request.visitor(), plan);
    if (!status->ok()) return;
  } else {
    plan.customer = artifact.customer_ids.find(request.customer_id());
  }
  *status = read_attributes(request, plan);
  if (!status->ok()) return;
  ++size_;
  prepare(plan);
}

absl::Status RecommendBatch::read_events(const v1::Visitor& visitor, Plan& plan) const {
  const Artifact& artifact = served_.artifact();
  FieldViolations violations;
  for (int i = 0; i < visitor.events_size(); ++i) {
    const v1::Event& event = visitor.events(i);
    const int32_t type = artifact.rules.find(event.type().empty() ? std::string_view("purchase") : std::string_view(event.type()));
    if (type == kNone) {
      violations.add("visitor.events[" + std::to_string(i) + "].type", "is not an event type that this model was trained with");
      continue;
    }
    const ItemIndex item = artifact.item_ids.find(event.item_id());
    if (item == kNone) continue;
    plan.events.push_back({.item = item,
                           .time = event.has_time() ? microseconds(event.time()) : artifact.rules.reference_time,
                           .value = event.has_value() ? event.value() : 1.0f,
                           .type = static_cast<uint8_t>(type)});
  }
  return violations.status();
}

bool RecommendBatch::answers_from_the_store(const Plan& plan) {
  return plan.customer != kNone && plan.context.empty() && !plan.has_own_attributes && plan.explain == v1::EXPLAIN_UNSPECIFIED;
}

absl::Status RecommendBatch::read_attributes(const v1::RecommendRequest& request, Plan& plan) {
  plan.has_own_attributes = !request.attributes().empty();
  plan.attributes_used = 0;
  if (!attributes_.wanted()) {
    if (!plan.has_own_attributes) return absl::OkStatus();
    FieldViolations violations;
    violations.add("attributes", "are not what this model was trained with: it takes none");
    return violations.status();
  }
  const bool has_prior = !served_.artifact().model.customer_prior.map.empty();
  if (answers_from_the_store(plan)) {
    if (has_prior)
      plan.attributes_used = attributes_.known_count(served_.artifact().customer_attributes.table.rows().row_columns(plan.customer));
    return absl::OkStatus();
  }
  if (absl::Status s = attributes_.encode(plan.customer, request.attributes(), "attributes", plan.attributes); !s.ok()) return s;
  if (has_prior) plan.attributes_used = attributes_.known_count(plan.attributes.columns);
  return absl::OkStatus();
}

// Decides where the profile comes from: the stored one, one solved from a history, or nowhere.
void RecommendBatch::prepare(Plan& plan) {
  const bool stored = answers_from_the_store(plan);
  if (stored) {
    plan.view = stored_history(served_.artifact().histories, plan.customer).view;
  } else {
    if (plan.customer != kNone) {
      read_stored_history(plan);
    } else {
      std::stable_sort(plan.events.begin(), plan.events.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
      merge_events(plan.events, served_.artifact().rules, plan.history);
    }
    add_context(plan);
    view_history(plan);
  }
  exclude_consumed(plan);
  if (ranking_ == nullptr) return;
  if (!stored) {
    const bool by_attributes = fold_in_->has_prior() && (plan.has_own_attributes || plan.customer != kNone);
    if (!plan.history.empty() || by_attributes) plan.fold_in = fold_in_->add(plan.history, plan.attributes);
  } else if (!is_zero(served_.artifact().model.profile_matrix().row(plan.customer))) {
    plan.query = ranking_->add_row(plan.customer, {plan.excluded, plan.selection.bitmap}, plan.k);
  }
}

void RecommendBatch::read_stored_history(Plan& plan) const {
  const StoredHistory stored = stored_history(served_.artifact().histories, plan.customer);
  plan.history.resize(stored.view.items.size());
  for (size_t i = 0; i < plan.history.size(); ++i)
    plan.history[i] = {.item = stored.view.items[i],
                       .confidence = stored.confidences[i],
                       .target = stored.targets.empty() ? 1.0f : stored.targets[i],
                       .consumed = stored.view.consumed[i] != 0,
                       .repurchase = stored.view.repurchase[i]};
}

void RecommendBatch::view_history(Plan& plan) {
  plan.items.clear();
  plan.consumed.clear();
  plan.repurchase.clear();
  for (const HistoryEntry& entry : plan.history) {
    plan.items.push_back(entry.item);
    plan.consumed.push_back(entry.consumed);
    plan.repurchase.push_back(entry.repurchase);
  }
  plan.view = {plan.items, plan.consumed, plan.repurchase};
}

// A context item counts as one `view` at the model's reference time. Where the item is in the history already, its confidence grows by
// that of the view and the rest of the entry stays.
void RecommendBatch::add_context(Plan& plan) const {
  const EventRules& rules = served_.artifact().rules;
  const int32_t view = std::max(rules.find("view"), 0);  // a model without views takes its first type
  std::vector<HistoryEntry> viewed;
  for (const ItemIndex item : plan.context) {
    const Event event{.item = item, .time = rules.reference_time, .type = static_cast<uint8_t>(view)};
    merge_events({&event, 1}, rules, viewed);
    const auto at = std::lower_bound(plan.history.begin(), plan.history.end(), item,
                                     [](const HistoryEntry& entry, ItemIndex wanted) { return entry.item < wanted; });
    if (at != plan.history.end() && at->item == item)
      at->confidence += viewed[0].confidence;
    else
      plan.history.insert(at, {.item = item, .confidence = viewed[0].confidence});
  }
}

void RecommendBatch::exclude_consumed(Plan& plan) {
  plan.excluded.clear();
  auto listed = plan.listed.begin();
  for (size_t i = 0; i < plan.view.items.size(); ++i) {
    if (!plan.view.consumed[i]) continue;
    const ItemIndex item = plan.view.items[i];
    while (listed != plan.listed.end() && *listed < item) plan.excluded.push_back(*listed++);
    if (listed != plan.listed.end() && *listed == item) ++listed;
    plan.excluded.push_back(item);
  }
  plan.excluded.insert(plan.excluded.end(), listed, plan.listed.end());
}

void RecommendBatch::hand_over() {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    if (plan.fold_in == kNone) continue;
    const absl::Status& solved = fold_in_->status(plan.fold_in);
    *plan.status = solved;
    if (!solved.ok() && plan.customer == kNone && weighs_too_much(plan.history)) *plan.status = too_much_weight();
    if (solved.ok() && !is_zero(fold_in_->profile(plan.fold_in)))
      plan.query = ranking_->add_vector(fold_in_->profile(plan.fold_in), {plan.excluded, plan.selection.bitmap}, plan.k);
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
    plan.response->set_events_used(static_cast<int32_t>(plan.view.items.size()));
    plan.response->set_attributes_used(plan.attributes_used);
    write_personal(plan);
    if (plan.explain != v1::EXPLAIN_UNSPECIFIED) explain(plan);
  } else {
    plan.response->add_shortfall(v1::SHORTFALL_COLD_CUSTOMER);
    write_popular(plan);
  }
  add_shortfall(served_, plan.k, plan.response->results_size(), plan.response);
}

std::span<const float> RecommendBatch::profile_of(const Plan& plan) const {
  return plan.fold_in == kNone ? served_.artifact().model.profile_matrix().row(plan.customer) : fold_in_->profile(plan.fold_in);
}

void RecommendBatch::write_personal(Plan& plan) {
  plan.response->mutable_results()->Reserve(plan.k);
  blend_.blend(profile_of(plan), plan.view.items, ranking_->rows(plan.query), ranking_->scores(plan.query), plan.k, [&](ItemIndex item) {
    return is_eligible(item, {plan.excluded, plan.selection.bitmap});
  });
  const auto rows = blend_.rows();
  const auto scores = blend_.scores();
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
  auto customer = fold_in_->solved(plan.fold_in, cholesky_);
  if (!customer.ok()) {
    *plan.status = customer.status();
    return;
  }
  offered_.clear();
  for (const v1::RecommendedItem& row : plan.response->results())
    if (row.source() == v1::SOURCE_MODEL) offered_.push_back(served_.artifact().item_ids.find(row.item_id()));
  std::vector<Explanation> explanations = bouquet::explain(served_.artifact().model, *customer, offered_);
  size_t next = 0;
  for (v1::RecommendedItem& row : *plan.response->mutable_results())
    if (row.source() == v1::SOURCE_MODEL) {
      Explanation& explanation = explanations[next];
      explanation.content = blend_.contributions(customer->items, offered_[next++]);
      // The served score is rounded once, so what rounding leaves is another number.
      const double content = std::accumulate(explanation.content.begin(), explanation.content.end(), 0.0);
      explanation.rest += double{row.score()} - explanation.score - content;
      explanation.score = double{row.score()};
      write_explanation(served_, explanation, customer->items, plan.explain, &row);
    }
}

void RecommendBatch::rank_head(const Plan& plan) {
  rank_repurchases(plan.view, {.filter = plan.selection.bitmap, .excluded = plan.listed}, plan.k, head_);
}

void RecommendBatch::write_popular(Plan& plan) const {
  for (const ItemIndex item : served_.by_popularity()) {
    if (plan.response->results_size() == plan.k) return;
    if (!is_eligible(item, {plan.excluded, plan.selection.bitmap})) continue;
    write_item(served_, item, static_cast<float>(served_.customers_of(item)), v1::SOURCE_FALLBACK_POPULAR, plan.response->add_results());
  }
}

}  // namespace bouquet::server
