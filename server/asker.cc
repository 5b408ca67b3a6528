#include "server/asker.h"

#include <algorithm>

#include "server/bad_request.h"

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

void view_history(Asker& asker) {
  asker.items.clear();
  asker.consumed.clear();
  asker.repurchase.clear();
  for (const HistoryEntry& entry : asker.history) {
    asker.items.push_back(entry.item);
    asker.consumed.push_back(entry.consumed);
    asker.repurchase.push_back(entry.repurchase);
  }
  asker.view = {asker.items, asker.consumed, asker.repurchase};
}

}  // namespace

absl::Status AskerReader::read(const Subject& subject, bool solved, Asker& asker) {
  const Artifact& artifact = served_.artifact();
  asker.customer = kNone;
  asker.fold_in = kNone;
  asker.history.clear();
  asker.events.clear();
  asker.context.clear();
  if (subject.context_item_ids != nullptr) append_known(artifact.item_ids, *subject.context_item_ids, asker.context);
  make_ascending_set(asker.context);
  if (subject.visitor != nullptr) {
    if (absl::Status s = read_events(*subject.visitor, asker); !s.ok()) return s;
  } else {
    asker.customer = artifact.customer_ids.find(*subject.customer_id);
  }
  asker.has_own_attributes = !subject.attributes->empty() || subject.packed != nullptr;
  asker.stored = asker.customer != kNone && asker.context.empty() && !asker.has_own_attributes && !solved;
  if (absl::Status s = read_attributes(subject, asker); !s.ok()) return s;
  if (asker.stored) {
    asker.view = stored_history(artifact.histories, asker.customer).view;
    return absl::OkStatus();
  }
  if (asker.customer != kNone) {
    read_stored_history(asker);
  } else {
    std::stable_sort(asker.events.begin(), asker.events.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
    merge_events(asker.events, artifact.rules, asker.history);
  }
  add_context(asker);
  view_history(asker);
  if (fold_in_ == nullptr) return absl::OkStatus();
  const bool by_attributes = fold_in_->has_prior() && (asker.has_own_attributes || asker.customer != kNone);
  if (!asker.history.empty() || by_attributes) asker.fold_in = fold_in_->add(asker.history, asker.attributes);
  return absl::OkStatus();
}

absl::Status AskerReader::read_events(const v1::Visitor& visitor, Asker& asker) const {
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
    asker.events.push_back({.item = item,
                            .time = event.has_time() ? microseconds(event.time()) : artifact.rules.reference_time,
                            .value = event.has_value() ? event.value() : 1.0f,
                            .type = static_cast<uint8_t>(type)});
  }
  return violations.status();
}

absl::Status AskerReader::read_attributes(const Subject& subject, Asker& asker) {
  asker.attributes_used = 0;
  if (!attributes_.wanted()) {
    if (!asker.has_own_attributes) return absl::OkStatus();
    FieldViolations violations;
    violations.add(subject.attributes->empty() ? "packed_attributes" : "attributes",
                   "are not what this model was trained with: it takes none");
    return violations.status();
  }
  const bool has_prior = !served_.artifact().model.customer_prior.map.empty();
  if (asker.stored) {
    if (has_prior)
      asker.attributes_used = attributes_.known_count(served_.artifact().customer_attributes.table.rows().row_columns(asker.customer));
    return absl::OkStatus();
  }
  if (absl::Status s = attributes_.encode(asker.customer, *subject.attributes, subject.packed, asker.attributes); !s.ok()) return s;
  if (has_prior) asker.attributes_used = attributes_.known_count(asker.attributes.columns);
  return absl::OkStatus();
}

void AskerReader::read_stored_history(Asker& asker) const {
  const StoredHistory stored = stored_history(served_.artifact().histories, asker.customer);
  asker.history.resize(stored.view.items.size());
  for (size_t i = 0; i < asker.history.size(); ++i)
    asker.history[i] = {.item = stored.view.items[i],
                        .confidence = stored.confidences[i],
                        .target = stored.targets.empty() ? 1.0f : stored.targets[i],
                        .consumed = stored.view.consumed[i] != 0,
                        .repurchase = stored.view.repurchase[i]};
}

// A context item counts as one `view` at the model's reference time. Where the item is in the history already, its confidence grows by
// that of the view and the rest of the entry stays.
void AskerReader::add_context(Asker& asker) const {
  const EventRules& rules = served_.artifact().rules;
  const int32_t view = std::max(rules.find("view"), 0);  // a model without views takes its first type
  std::vector<HistoryEntry> viewed;
  for (const ItemIndex item : asker.context) {
    const Event event{.item = item, .time = rules.reference_time, .type = static_cast<uint8_t>(view)};
    merge_events({&event, 1}, rules, viewed);
    const auto at = std::lower_bound(asker.history.begin(), asker.history.end(), item,
                                     [](const HistoryEntry& entry, ItemIndex wanted) { return entry.item < wanted; });
    if (at != asker.history.end() && at->item == item)
      at->confidence += viewed[0].confidence;
    else
      asker.history.insert(at, {.item = item, .confidence = viewed[0].confidence});
  }
}

absl::Status AskerReader::status(const Asker& asker) const {
  if (asker.fold_in == kNone) return absl::OkStatus();
  const absl::Status& solved = fold_in_->status(asker.fold_in);
  if (!solved.ok() && asker.customer == kNone && weighs_too_much(asker.history)) return too_much_weight();
  return solved;
}

std::span<const float> AskerReader::profile(const Asker& asker) const {
  std::span<const float> profile;
  if (asker.fold_in != kNone)
    profile = fold_in_->profile(asker.fold_in);
  else if (asker.stored && served_.item_count() > 0)
    profile = served_.artifact().model.profile_matrix().row(asker.customer);
  return is_zero(profile) ? std::span<const float>() : profile;
}

}  // namespace bouquet::server
