#include "server/asker.h"

#include <algorithm>
#include <string>

#include "engine/joined_histories.h"
#include "server/bad_request.h"

namespace bouquet::server {
namespace {

HistoryView stored_history(const Histories& all, CustomerIndex customer) {
  if (all.offsets.empty()) return {};
  const auto begin = static_cast<size_t>(all.offsets[customer]);
  const auto size = static_cast<size_t>(all.offsets[customer + 1]) - begin;
  return {.items = all.items.view().subspan(begin, size),
          .consumed = all.consumed.view().subspan(begin, size),
          .repurchase = all.repurchase.view().subspan(begin, size)};
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
  asker.version = 0;
  asker.without_rows = false;
  asker.fold_in = kNone;
  asker.fresh = nullptr;
  asker.history.clear();
  asker.events.clear();
  asker.of_unknown_types.clear();
  asker.context.clear();
  asker.rows.clear();
  known_ids_.clear();
  if (subject.context_item_ids != nullptr) append_known(artifact.item_ids, *subject.context_item_ids, asker.context);
  make_ascending_set(asker.context);
  if (subject.visitor != nullptr) {
    if (absl::Status s = read_visitor(subject, asker); !s.ok()) return s;
  } else if (absl::Status s = read_customer(subject, asker); !s.ok()) {
    return s;
  }
  asker.has_own_attributes = attributes_.concerns(subject.attributes) || subject.packed != nullptr;
  const bool as_known = asker.context.empty() && !asker.has_own_attributes && !solved;
  asker.stored = as_known && asker.customer != kNone && asker.version == 0 && !asker.without_rows;
  asker.kept = as_known && asker.version != 0 && subject.as_of == nullptr;
  if (asker.kept && find_fresh(asker)) return absl::OkStatus();
  if (asker.version != 0 && subject.as_of == nullptr)
    if (absl::Status s = read_live(asker); !s.ok()) return s;
  if (absl::Status s = read_attributes(subject, asker); !s.ok()) return s;
  if (asker.stored) {
    asker.view = stored_history(artifact.histories, asker.customer);
    return absl::OkStatus();
  }
  merge(asker);
  view_history(asker);
  if (fold_in_ == nullptr) return absl::OkStatus();
  const bool has_live = std::ranges::any_of(known_ids_, [](const KnownAttributes& known) { return !known.live.empty(); });
  const bool by_attributes = fold_in_->has_prior() && (asker.has_own_attributes || asker.customer != kNone || has_live);
  if (!asker.history.empty() || by_attributes) asker.fold_in = fold_in_->add(asker.history, asker.attributes);
  return absl::OkStatus();
}

absl::Status AskerReader::complete(Subject& subject) {
  if (subject.as_of == nullptr || !subject.as_of->has_recommendation_id()) return absl::OkStatus();
  const auto name = named_answer(*subject.as_of, names_);
  if (!name.ok()) return name.status();
  if (!subject.placement.empty() && subject.placement != name->placement()) {
    FieldViolations violations;
    violations.add("placement", "is not that of the answer; leave it out");
    return violations.status();
  }
  const bool of_visitor = subject.visitor != nullptr;
  if (of_visitor)
    if (absl::Status s = AnswerNames::check_visitor(*name); !s.ok()) return s;
  const bool own_attributes = !subject.attributes.empty() || subject.packed != nullptr;
  std::string needed = of_visitor ? "visitor.events" : "";
  if (name->own_attributes() && !own_attributes) needed += needed.empty() ? "attributes" : ", attributes";
  kept_.Clear();
  if (name->log() != 0 && inputs_ != nullptr) {
    auto kept = inputs_->read(*name, of_visitor ? std::string() : *subject.customer_id);
    if (!kept.ok() && !absl::IsNotFound(kept.status())) return kept.status();
    if (kept.ok()) {
      kept_ = *std::move(kept);
      needed.clear();
    }
  }
  if (!needed.empty()) return inputs_missing(*name, needed);
  if (of_visitor) subject.visitor = &kept_.visitor();
  if (!own_attributes) {
    subject.attributes = kept_.attributes();
    if (kept_.has_packed_attributes()) subject.packed = &kept_.packed_attributes();
  }
  if (subject.context_item_ids != nullptr && subject.context_item_ids->empty()) subject.context_item_ids = &kept_.context_item_ids();
  return absl::OkStatus();
}

absl::Status AskerReader::read_visitor(const Subject& subject, Asker& asker) const {
  if (subject.as_of != nullptr) {
    const auto name = named_answer(*subject.as_of, names_);
    if (!name.ok()) return name.status();
    if (absl::Status s = check_model(*name, served_.artifact()); !s.ok()) return s;
  }
  return read_events(*subject.visitor, asker);
}

bool AskerReader::find_fresh(Asker& asker) const {
  asker.fresh = live_.profiles->find(asker.customer_id, asker.version);
  if (live_.observer != nullptr) live_.observer->fresh_profile_read(asker.fresh != nullptr);
  if (asker.fresh == nullptr) return false;
  asker.attributes_used = asker.fresh->attributes_used;
  asker.view = {asker.fresh->items, asker.fresh->consumed, asker.fresh->repurchase};
  return true;
}

absl::Status AskerReader::check_version(int64_t wanted) const {
  if (wanted == 0) return absl::OkStatus();
  if (wanted < 0) {
    FieldViolations violations;
    violations.add("min_profile_version", "must be 0 or more");
    return violations.status();
  }
  if (live_.source == nullptr)
    return absl::FailedPreconditionError(
        "min_profile_version: this server keeps no events, so that profiles have no versions; start it with --store");
  if (const int64_t newest = live_.source->newest_version(); wanted > newest)
    return absl::UnavailableError("min_profile_version " + std::to_string(wanted) + " has not been recorded here; the newest is " +
                                  std::to_string(newest) + ". Try again");
  return absl::OkStatus();
}

// The version first: should anything come in between, what is solved is kept under an older version than it has, and never under a newer
// one.
absl::Status AskerReader::read_customer(const Subject& subject, Asker& asker) {
  if (absl::Status s = check_version(subject.min_version); !s.ok()) return s;
  if (live_.source != nullptr && subject.as_of != nullptr) return read_past(subject, asker);
  if (live_.source != nullptr) {
    asker.version = live_.source->version_of(*subject.customer_id);
    live_.source->rows_of(*subject.customer_id, asker.rows);
  } else if (const CustomerIndex row = served_.artifact().customer_ids.find(*subject.customer_id); row != kNone) {
    asker.rows.push_back(row);
  }
  if (asker.version != 0) asker.customer_id = *subject.customer_id;
  for (const CustomerIndex row : asker.rows) known_ids_.push_back({.row = row, .live = {}});
  set_rows(asker);
  return subject.as_of != nullptr ? check_past_without_store(subject) : absl::OkStatus();
}

void AskerReader::set_rows(Asker& asker) const {
  asker.rows.clear();
  for (const KnownAttributes& known : known_ids_)
    if (known.row != kNone) asker.rows.push_back(known.row);
  asker.customer = asker.rows.empty() ? kNone : asker.rows.front();
  std::ranges::sort(asker.rows);
}

// Events of items and types that the model does not know wait in the store for one that does.
LiveSource::TakeEvent AskerReader::take_into(Asker& asker) const {
  return [&artifact = served_.artifact(), &asker](std::string_view item_id, std::string_view type, int64_t time, float value) {
    const ItemIndex item = artifact.item_ids.find(item_id);
    if (item == kNone) return;
    const int32_t known_type = artifact.rules.find(type);
    if (known_type == kNone)
      asker.of_unknown_types.push_back({.item = item, .time = time, .value = value});
    else
      asker.events.push_back({.item = item, .time = time, .value = value, .type = static_cast<uint8_t>(known_type)});
  };
}

absl::Status AskerReader::read_live(Asker& asker) {
  known_ids_.clear();
  if (absl::Status s = live_.source->read(asker.customer_id, take_into(asker), known_ids_); !s.ok()) return s;
  set_rows(asker);
  return absl::OkStatus();
}

absl::Status AskerReader::read_past(const Subject& subject, Asker& asker) {
  const auto moment = read_moment(*subject.as_of, *subject.customer_id, served_.artifact(), names_);
  if (!moment.ok()) return moment.status();
  const auto part = live_.source->read_past(*subject.customer_id, *moment, take_into(asker), known_ids_);
  if (!part.ok()) return part.status();
  asker.version = part->version;
  asker.without_rows = !part->with_row;
  set_rows(asker);
  return absl::OkStatus();
}

// What the model knew alone it knows still.
absl::Status AskerReader::check_past_without_store(const Subject& subject) const {
  const auto moment = read_moment(*subject.as_of, *subject.customer_id, served_.artifact(), names_);
  if (!moment.ok()) return moment.status();
  if (moment->of_answer && moment->up_to_version == 0) return absl::OkStatus();
  return absl::FailedPreconditionError("as_of: no events are kept here, so that nothing is known of earlier moments; give --store");
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
    if (absl::Status s = attributes_.check(subject.attributes); !s.ok()) return s;
    FieldViolations violations;
    violations.add("packed_attributes", "are not what this model was trained with: it takes none");
    return violations.status();
  }
  const bool has_prior = !served_.artifact().model.customer_prior.map.empty();
  if (asker.stored) {
    if (has_prior)
      asker.attributes_used = attributes_.known_count(served_.artifact().customer_attributes.table.rows().row_columns(asker.customer));
    return absl::OkStatus();
  }
  if (absl::Status s = attributes_.encode(known_ids_, subject.attributes, subject.packed, asker.attributes); !s.ok()) return s;
  if (has_prior) asker.attributes_used = attributes_.known_count(asker.attributes.columns);
  return absl::OkStatus();
}

// A context item counts as one `view` at the model's reference time.
void AskerReader::merge(Asker& asker) {
  const Artifact& artifact = served_.artifact();
  known_.clear();
  const std::span<const CustomerIndex> rows = asker.without_rows ? std::span<const CustomerIndex>() : asker.rows;
  for (const CustomerIndex row : rows) {
    artifact.histories.read(row, artifact.rules.reference_time, known_.empty() ? known_ : more_);
    join_history(more_, known_);
    more_.clear();
  }
  events_.assign(asker.events.begin(), asker.events.end());
  const int32_t view = std::max(artifact.rules.find("view"), 0);  // a model without views takes its first type
  for (const ItemIndex item : asker.context)
    events_.push_back({.item = item, .time = artifact.rules.reference_time, .type = static_cast<uint8_t>(view)});
  std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
  merge_events(known_, events_, artifact.rules, asker.history);
  // Nobody can take back what was recorded, so it must not keep the customer from every answer.
  if (asker.version != 0)
    for (HistoryEntry& entry : asker.history) entry.confidence = std::min(entry.confidence, kSafeConfidence);
}

absl::Status AskerReader::status(const Asker& asker) const {
  if (asker.fold_in == kNone) return absl::OkStatus();
  const absl::Status& solved = fold_in_->status(asker.fold_in);
  if (!solved.ok() && asker.customer == kNone && weighs_too_much(asker.history)) return too_much_weight();
  return solved;
}

std::span<const float> AskerReader::profile(const Asker& asker) const {
  std::span<const float> profile;
  if (asker.fresh != nullptr)
    profile = asker.fresh->profile;
  else if (asker.fold_in != kNone)
    profile = fold_in_->profile(asker.fold_in);
  else if (asker.stored && served_.item_count() > 0)
    profile = served_.artifact().model.profile_matrix().row(asker.customer);
  return is_zero(profile) ? std::span<const float>() : profile;
}

void AskerReader::keep(const Asker& asker) const {
  if (!asker.kept || asker.fresh != nullptr || !status(asker).ok()) return;
  const auto solved = profile(asker);
  live_.profiles->put(asker.customer_id, std::make_shared<FreshProfile>(FreshProfile{.version = asker.version,
                                                                                     .profile = {solved.begin(), solved.end()},
                                                                                     .items = asker.items,
                                                                                     .consumed = asker.consumed,
                                                                                     .repurchase = asker.repurchase,
                                                                                     .attributes_used = asker.attributes_used}));
  // Whoever was erased since is forgotten already, and may not come back.
  if (live_.source->version_of(asker.customer_id) != asker.version) live_.profiles->forget(asker.customer_id);
}

}  // namespace bouquet::server
