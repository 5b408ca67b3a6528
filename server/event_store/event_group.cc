#include "server/event_store/event_group.h"

#include <rocksdb/db.h>

#include <utility>

#include "engine/errors.h"
#include "engine/views.h"
#include "server/event_store/customer_numbers.h"
#include "server/event_store/customer_removal.h"
#include "server/event_store/event_keys.h"

namespace bouquet::server {
namespace {

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
rocksdb::Slice slice(const EventIdHash& hash) { return {hash.data(), hash.size()}; }

// The customer and id of each row, whichever kind it is.
struct RowIds {
  std::string_view customer_id, id;
};
RowIds ids_of(const Append& append, size_t row) {
  if (append.attributes) return {append.attributes->customer_id, append.attributes->request_id};
  if (append.erasure) return {append.erasure->customer_id, append.erasure->request_id};
  return {append.events[row].customer_id, append.events[row].event_id};
}

}  // namespace

absl::Status EventGroup::resolve(Appends appends) {
  if (absl::Status s = look_up_ids(appends); !s.ok()) return s;
  accept_rows(appends);
  if (empty()) return absl::OkStatus();
  absl::Status put = look_up_customers();
  if (put.ok()) put = put_rows();
  if (!put.ok()) {
    fail(appends, put);
    return put;
  }
  counters_.events += events_.size();
  batch_.Put(database_.family(Family::kCounters), slice(kCountersKey), encode(counters_));
  return absl::OkStatus();
}

absl::Status EventGroup::put_rows() {
  meet_customers();
  for (DurableEvent& event : events_) put_event(event);
  for (DurableAttributes& attributes : attributes_) {
    attributes.customer = customers_.at(attributes.said->customer_id);
    put_attributes(attributes);
  }
  for (DurableErasure& erasure : erasures_)
    if (absl::Status s = put_erasure(erasure); !s.ok()) return s;
  return absl::OkStatus();
}

absl::Status EventGroup::look_up_ids(Appends appends) {
  std::vector<rocksdb::Slice> keys;
  for (const auto& append : appends)
    for (size_t row = 0; row < append->outcomes.size(); ++row)
      if (append->outcomes[row].status.ok() && !ids_of(*append, row).id.empty()) keys.push_back(slice(append->hashes[row]));
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> found(keys.size());
  database_.rocks().MultiGet({}, database_.family(Family::kEventIds), keys.size(), keys.data(), values.data(), found.data());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (found[i].IsNotFound()) continue;
    if (!found[i].ok()) return of_rocks(found[i]);
    const auto entry = parse_event_id_entry(values[i].ToStringView());
    if (!entry) return bad_input("the store: what it remembers of an event id is damaged");
    if (entry->arrived < oldest_) continue;
    EventIdHash hash;
    std::copy_n(keys[i].data(), hash.size(), hash.begin());
    ids_.emplace(hash, *entry);
  }
  return absl::OkStatus();
}

bool EventGroup::accept(Append& append, size_t row, bool has_id) {
  Outcome& outcome = append.outcomes[row];
  if (!has_id) {
    outcome.sequence = ++counters_.sequence;
    return true;
  }
  const auto [known, added] = ids_.try_emplace(append.hashes[row]);
  EventIdEntry& entry = known->second;
  if (added) {
    entry = {.content = append.contents[row], .arrived = static_cast<uint32_t>(now_ / 1'000'000), .sequence = ++counters_.sequence};
    outcome.sequence = entry.sequence;
    value_.clear();
    append_event_id_entry(entry, value_);
    batch_.Put(database_.family(Family::kEventIds), slice(append.hashes[row]), value_);
    return true;
  }
  if (entry.content == append.contents[row]) {
    outcome.sequence = entry.sequence;
    outcome.repeated = true;
  } else if (append.attributes || append.erasure) {
    outcome.status = absl::AlreadyExistsError("request_id: came before with other content, which stays");
  } else {
    outcome.status = absl::AlreadyExistsError("event_id: came before with other content, which stays");
  }
  return false;
}

void EventGroup::accept_rows(Appends appends) {
  for (const auto& append : appends)
    for (size_t row = 0; row < append->outcomes.size(); ++row) {
      if (!append->outcomes[row].status.ok()) continue;
      const RowIds ids = ids_of(*append, row);
      if (!append->events.empty() && was_erased(append->events[row], append->arrived)) {
        append->outcomes[row].status = absl::FailedPreconditionError("time: is before the customer was erased");
        continue;
      }
      if (!accept(*append, row, !ids.id.empty())) continue;
      customers_.try_emplace(ids.customer_id, 0);
      const uint64_t sequence = append->outcomes[row].sequence;
      if (append->attributes)
        attributes_.push_back({.sequence = sequence, .said = &*append->attributes});
      else if (append->erasure)
        erasures_.push_back({.customer_id = ids.customer_id, .erasure = {.sequence = sequence, .time = now_}});
      else
        accept_event(*append, row);
    }
}

bool EventGroup::was_erased(const NewEvent& event, int64_t arrived) const {
  const auto erasure = tables_.erasures.find(event.customer_id);
  return erasure && event.time.value_or(arrived) <= erasure->time;
}

void EventGroup::accept_event(const Append& append, size_t row) {
  const NewEvent& said = append.events[row];
  DurableEvent& event = events_.emplace_back();
  event.customer_id = said.customer_id;
  event.item_id = said.item_id;
  event.type = said.type;
  event.event = {.sequence = append.outcomes[row].sequence,
                 .time = said.time.value_or(append.arrived),
                 .item = 0,
                 .type = 0,
                 .value = said.value,
                 .details = {.basket_id = std::string(said.basket_id),
                             .price = said.price,
                             .recommendation_id = std::string(said.recommendation_id),
                             .placement = std::string(said.placement)}};
}

absl::Status EventGroup::look_up_customers() {
  std::vector<std::string_view> ids;
  for (const auto& [id, number] : customers_) ids.push_back(id);
  std::vector<CustomerNumber> numbers(ids.size());
  if (absl::Status s = find_customers(database_, ids, numbers); !s.ok()) return s;
  for (size_t i = 0; i < ids.size(); ++i) customers_[ids[i]] = numbers[i];
  return absl::OkStatus();
}

// In order of arrival, so that the same calls give the same numbers.
void EventGroup::meet_customers() {
  const auto meet = [&](std::string_view id) {
    CustomerNumber& number = customers_.at(id);
    if (number != 0) return;
    number = ++counters_.last_customer;
    ++counters_.customers;
    put_new_customer(database_, id, number, batch_);
  };
  for (const DurableEvent& event : events_) meet(event.customer_id);
  for (const DurableAttributes& attributes : attributes_) meet(attributes.said->customer_id);
}

int32_t EventGroup::number_of(std::string_view name, const NameTable& known, NewNames& added) {
  if (const int32_t number = known.find(name); number != kNone) return number;
  const auto [at, is_new] = added.numbers.try_emplace(name, known.size() + static_cast<int32_t>(added.names.size()));
  if (is_new) {
    added.names.push_back(name);
    batch_.Put(database_.family(Family::kNames), known.key(at->second), slice(name));
  }
  return at->second;
}

void EventGroup::put_event(DurableEvent& event) {
  event.customer = customers_.at(event.customer_id);
  event.event.item = number_of(event.item_id, tables_.items, new_items_);
  event.event.type = number_of(event.type, tables_.types, new_types_);
  value_.clear();
  append_event_value(event.event, value_);
  batch_.Put(database_.family(Family::kEvents), event_key(event.customer, event.event.time, event.event.sequence), value_);
}

void EventGroup::put_attributes(const DurableAttributes& attributes) {
  for (const auto& [name, value] : *attributes.said->values) {
    value_.clear();
    append_varint(attributes.sequence, value_);
    value.AppendToString(&value_);
    key_.clear();
    append_fixed64(attributes.customer, key_);
    key_ += name;
    batch_.Put(database_.family(Family::kAttributes), key_, value_);
  }
}

absl::Status EventGroup::put_erasure(DurableErasure& erasure) {
  ErasureReceipt receipt;
  receipt.set_time(erasure.erasure.time);
  CustomerNumber& number = customers_.at(erasure.customer_id);
  if (number != 0) {
    const auto removed = remove_customer(database_, erasure.customer_id, number, batch_);
    if (!removed.ok()) return removed.status();
    receipt.set_customer(number);
    receipt.set_events(removed->events);
    receipt.set_attributes(removed->attributes);
    counters_.events -= static_cast<uint64_t>(removed->events);
    --counters_.customers;
  }
  erasure.customer = std::exchange(number, 0);  // should the id come again in this group, it is nobody's
  tables_.erasures.put(database_, erasure.customer_id, erasure.erasure, std::move(receipt), batch_);
  return absl::OkStatus();
}

void EventGroup::fail(Appends appends, const absl::Status& why) const {
  for (const auto& append : appends)
    for (Outcome& outcome : append->outcomes)
      if (outcome.status.ok() && (outcome.sequence == 0 || outcome.sequence > before_.sequence)) outcome = {why, 0, false};
}

}  // namespace bouquet::server
