#include "server/action_batch.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "engine/score.h"
#include "server/answer_rows.h"
#include "server/explanation_rows.h"

namespace bouquet::server {
namespace {

// Whether a sorted history holds `item` with a consuming event that was not returned.
bool has_taken(const HistoryView& history, ItemIndex item) {
  const auto at = std::lower_bound(history.items.begin(), history.items.end(), item);
  return at != history.items.end() && *at == item && history.consumed[static_cast<size_t>(at - history.items.begin())] != 0;
}

absl::Status not_calibrated() {
  return absl::FailedPreconditionError(
      "the model has no probabilities of actions: too few of them were offered or taken on the events that its training kept apart "
      "(train --validation; `bouquet models show` has the figures)");
}

}  // namespace

void ActionBatch::add(const v1::NextBestActionRequest& request, const WireAttributes* wire, v1::NextBestActionResponse* response,
                      absl::Status* status) {
  if (size_ == plans_.size()) plans_.emplace_back();
  Plan& plan = plans_[size_];
  plan.request = &request;
  plan.response = response;
  plan.status = status;
  *status = read(request, wire, plan);
  if (status->ok()) ++size_;
}

absl::Status ActionBatch::read(const v1::NextBestActionRequest& request, const WireAttributes* wire, Plan& plan) {
  google::protobuf::RepeatedField<int> kinds;
  kinds.Add(v1::ITEM_KIND_ACTION);
  auto wanted = wanted_rows(served_, settings_.rows.placements, {request.placement(), request.k(), kinds, request.filter(), true});
  if (!wanted.ok()) return wanted.status();
  plan.k = wanted->k;
  plan.selection = std::move(wanted->selection);
  // A profile that is solved again has its events, and with them the contacts.
  const Subject subject = subject_of(request, wire);
  const bool solved = request.explain() != v1::EXPLAIN_UNSPECIFIED || askers_.has_news(subject);
  if (absl::Status s = askers_.read(subject, solved, plan.asker); !s.ok()) return s;
  plan.excluded = plan.asker.context;
  append_known(served_.artifact().item_ids, request.exclude_item_ids(), plan.excluded);
  make_ascending_set(plan.excluded);
  return absl::OkStatus();
}

// Where what is stored has no times, it may have happened as late as anything that the model knows.
std::vector<Contact> ActionBatch::contacts(const Plan& plan, int64_t now) const {
  std::vector<Contact> contacts;
  const Artifact& artifact = served_.artifact();
  const auto is_action = [&](ItemIndex item) {
    bool action = false;
    served_.catalog().describe(item, [&](ItemKind kind, std::string_view, std::string_view) { action = kind == ItemKind::kAction; });
    return action;
  };
  for (const CustomerIndex row : plan.asker.rows) {
    if (plan.request->contacts_are_complete()) break;
    std::vector<HistoryEntry> stored;
    artifact.histories.read(row, artifact.rules.reference_time, stored);
    for (const HistoryEntry& entry : stored)
      if (is_action(entry.item)) contacts.push_back({.item = entry.item, .time = entry.newest, .count = std::max(entry.count, 1)});
  }
  const auto add = [&](const auto& events) {
    for (const v1::Event& event : events)
      if (const ItemIndex item = artifact.item_ids.find(event.item_id()); item != kNone && is_action(item))
        contacts.push_back({.item = item, .time = event.has_time() ? microseconds(event.time()) : now});
  };
  if (!plan.request->has_visitor() && !plan.request->contacts_are_complete())
    for (const std::vector<Event>* recorded : {&plan.asker.events, &plan.asker.of_unknown_types})
      for (const Event& event : *recorded)
        if (is_action(event.item)) contacts.push_back({.item = event.item, .time = event.time});
  if (plan.request->has_visitor()) add(plan.request->visitor().events());
  add(plan.request->contacts());
  return contacts;
}

std::vector<ItemIndex> ActionBatch::allowed(const Plan& plan, int32_t& withheld) const {
  const int64_t now = absl::ToUnixMicros(settings_.rules.now());
  const ContactHistory history(contacts(plan, now), now);
  const bool any = history.allows_any(settings_.rules.all);
  std::vector<ItemIndex> items;
  const std::span<const uint64_t> words = plan.selection.bitmap.words;
  const auto consider = [&](ItemIndex item) {
    if (!is_eligible(item, {plan.excluded, {}}) || (!plan.request->include_purchased() && has_taken(plan.asker.view, item))) return;
    if (any && history.allows(item, settings_.rules.of(served_.artifact().item_ids.id(item))))
      items.push_back(item);
    else
      ++withheld;
  };
  for (ItemIndex item = 0; words.empty() && item < served_.item_count(); ++item) consider(item);  // every item is an action
  for (size_t w = 0; w < words.size(); ++w)
    for (uint64_t left = words[w]; left != 0; left &= left - 1) consider(static_cast<ItemIndex>(w * 64) + std::countr_zero(left));
  return items;
}

void ActionBatch::finish() {
  for (size_t i = 0; i < size_; ++i) {
    Plan& plan = plans_[i];
    *plan.status = askers_.status(plan.asker);
    if (plan.status->ok()) *plan.status = write(plan);
  }
}

absl::Status ActionBatch::write(Plan& plan) {
  int32_t withheld = 0;
  std::vector<Offer> offers;
  for (const ItemIndex item : allowed(plan, withheld))
    offers.push_back({.item = item, .score = 0, .probability = 0, .value = settings_.rules.of(served_.artifact().item_ids.id(item)).value});
  const auto profile = askers_.profile(plan.asker);
  if (profile.empty())
    value_by_popularity(offers);
  else if (absl::Status s = value_by_model(plan, profile, offers); !s.ok())
    return s;
  const auto kept = std::min(offers.size(), static_cast<size_t>(plan.k));
  std::ranges::partial_sort(offers, offers.begin() + static_cast<std::ptrdiff_t>(kept), [](const Offer& a, const Offer& b) {
    if (a.expected() != b.expected()) return a.expected() > b.expected();
    return ranks_before(a.score, a.item, b.score, b.item);  // the map from scores to probabilities has level parts
  });
  offers.resize(kept);
  v1::NextBestActionResponse& out = *plan.response;
  out.set_model_version(served_.version());
  out.set_backend(served_.backend_name());
  out.set_withheld(withheld);
  for (const Offer& offer : offers) {
    v1::ActionOffer* row = out.add_results();
    write_item(served_, offer.item, offer.score, profile.empty() ? v1::SOURCE_FALLBACK_POPULAR : v1::SOURCE_MODEL, row->mutable_item());
    row->set_probability(offer.probability);
    row->set_value(offer.value);
    row->set_expected_value(offer.expected());
  }
  if (profile.empty()) out.add_shortfall(v1::SHORTFALL_COLD_CUSTOMER);
  add_shortfall(served_, plan.k, out.results_size(), &out);
  if (settings_.rows.names != nullptr) {
    AnswerName name = name_now("NextBestAction", served_.version(), plan.request->placement(), plan.k);
    name.set_profile_version(plan.asker.version);
    out.set_recommendation_id(settings_.rows.names->seal(name));
  }
  if (profile.empty()) return absl::OkStatus();
  out.set_events_used(static_cast<int32_t>(plan.asker.view.items.size()));
  out.set_attributes_used(plan.asker.attributes_used);
  out.set_profile_version(plan.asker.version);
  return plan.request->explain() == v1::EXPLAIN_UNSPECIFIED ? absl::OkStatus() : explain(plan);
}

absl::Status ActionBatch::value_by_model(const Plan& plan, std::span<const float> profile, std::vector<Offer>& offers) {
  const CalibrationMap* map = served_.artifact().calibration.find(AnswerSource::kModel, ItemKind::kAction);
  if (map == nullptr) return not_calibrated();
  blend_->blend(profile, plan.asker.view.items, {}, {}, 0, [](ItemIndex) { return false; });
  for (Offer& offer : offers) {
    offer.score = blend_->score_of(profile, offer.item);
    offer.probability = map->probability(offer.score);
  }
  return absl::OkStatus();
}

void ActionBatch::value_by_popularity(std::vector<Offer>& offers) const {
  const double customers = std::max(served_.artifact().customer_ids.size(), 1);
  for (Offer& offer : offers) {
    offer.score = static_cast<float>(served_.customers_of(offer.item));
    offer.probability = std::min(offer.score / customers, 1.0);
  }
}

absl::Status ActionBatch::explain(const Plan& plan) {
  const auto customer = fold_in_->solved(plan.asker.fold_in, cholesky_);
  if (!customer.ok()) return customer.status();
  std::vector<v1::RecommendedItem*> rows;
  for (v1::ActionOffer& offer : *plan.response->mutable_results()) rows.push_back(offer.mutable_item());
  explain_rows(served_, *customer, *blend_, plan.request->explain(), rows);
  return absl::OkStatus();
}

}  // namespace bouquet::server
