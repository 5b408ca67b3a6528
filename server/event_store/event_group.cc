#include "server/event_store/event_group.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <utility>

#include "engine/errors.h"
#include "engine/views.h"
#include "server/event_store/customer_numbers.h"
#include "server/event_store/customer_removal.h"
#include "server/event_store/event_keys.h"
#include "server/event_store/merge_records.h"

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
  if (append.merge) return {append.merge->from_customer_id, append.merge->request_id};
  if (append.unmerge) return {append.unmerge->from_customer_id, append.unmerge->request_id};
  if (!append.answers.empty()) return {append.answers[row].customer_id, {}};
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
  for (const ErasedPerson& person : erased_)
    if (absl::Status s = put_erasure(person); !s.ok()) return s;
  put_merges();
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

bool EventGroup::came_before(Append& append, size_t row, bool has_id) {
  const auto known = has_id ? ids_.find(append.hashes[row]) : ids_.end();
  if (known == ids_.end()) return false;
  Outcome& outcome = append.outcomes[row];
  if (known->second.content == append.contents[row]) {
    outcome.sequence = known->second.sequence;
    outcome.repeated = true;
  } else if (append.events.empty()) {
    outcome.status = absl::AlreadyExistsError("request_id: came before with other content, which stays");
  } else {
    outcome.status = absl::AlreadyExistsError("event_id: came before with other content, which stays");
  }
  return true;
}

void EventGroup::remember(const Append& append, size_t row, bool has_id) {
  if (!has_id) return;
  const EventIdEntry entry{
      .content = append.contents[row], .arrived = static_cast<uint32_t>(now_ / 1'000'000), .sequence = append.outcomes[row].sequence};
  ids_.emplace(append.hashes[row], entry);
  value_.clear();
  append_event_id_entry(entry, value_);
  batch_.Put(database_.family(Family::kEventIds), slice(append.hashes[row]), value_);
}

bool EventGroup::accept(Append& append, size_t row, bool has_id) {
  if (came_before(append, row, has_id)) return false;
  append.outcomes[row].sequence = ++counters_.sequence;
  remember(append, row, has_id);
  return true;
}

void EventGroup::accept_rows(Appends appends) {
  for (const auto& append : appends)
    for (size_t row = 0; row < append->outcomes.size(); ++row) {
      if (!append->outcomes[row].status.ok()) continue;
      if (append->merge || append->unmerge) {
        append->merge ? accept_merge(*append) : accept_unmerge(*append);
        continue;
      }
      if (!append->answers.empty()) {
        accept_answer(append->answers[row], append->outcomes[row]);
        continue;
      }
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
        accept_erasure(*append);
      else
        accept_event(*append, row);
    }
}

void EventGroup::accept_erasure(const Append& append) {
  ErasedPerson& person = erased_.emplace_back();
  person.sequence = append.outcomes[0].sequence;
  person.ids = tables_.merges.person_of(append.erasure->customer_id);
  std::iter_swap(person.ids.begin(), std::ranges::find(person.ids, append.erasure->customer_id));
  for (const std::string& id : person.ids) customers_.try_emplace(id, 0);
}

void EventGroup::accept_merge(Append& append) {
  const NewMerge& said = *append.merge;
  Outcome& outcome = append.outcomes[0];
  const bool has_id = !said.request_id.empty();
  if (came_before(append, 0, has_id)) return;
  outcome.status = tables_.merges.check_merge(said.from_customer_id, said.into_customer_id);
  if (!outcome.status.ok()) return;
  if (const auto there = tables_.merges.find(said.from_customer_id)) {
    outcome.sequence = there->sequence;
    outcome.repeated = true;
  } else {
    outcome.sequence = ++counters_.sequence;
    merges_.push_back({said.from_customer_id, said.into_customer_id, outcome.sequence});
    for (const std::string_view id : {said.from_customer_id, said.into_customer_id}) customers_.try_emplace(id, 0);
  }
  remember(append, 0, has_id);
}

void EventGroup::accept_unmerge(Append& append) {
  const NewUnmerge& said = *append.unmerge;
  Outcome& outcome = append.outcomes[0];
  const bool has_id = !said.request_id.empty();
  if (came_before(append, 0, has_id)) return;
  outcome.status = tables_.merges.check_unmerge(said.from_customer_id, absl::FromUnixMicros(now_));
  if (!outcome.status.ok()) return;
  undone_ = *tables_.merges.find(said.from_customer_id);
  outcome.sequence = ++counters_.sequence;
  unmerges_.push_back({said.from_customer_id, undone_.into, outcome.sequence});
  for (const std::string_view id : {said.from_customer_id, std::string_view(undone_.into)}) customers_.try_emplace(id, 0);
  remember(append, 0, has_id);
}

bool EventGroup::was_erased(const NewEvent& event, int64_t arrived) const {
  const auto erasure = tables_.erasures.find(event.customer_id);
  return erasure && event.time.value_or(arrived) <= erasure->time;
}

void EventGroup::accept_answer(const NewAnswer& answer, Outcome& outcome) {
  if (const auto erasure = tables_.erasures.find(answer.customer_id); erasure && answer.time <= erasure->time)
    outcome.status = absl::FailedPreconditionError("the customer was erased since");
  else
    put_answer(database_, tables_.erasures.put_hash(database_, answer.customer_id, batch_), answer, batch_);
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
  for (const DurableMerge& merge : merges_) {
    meet(merge.from_customer_id);
    meet(merge.into_customer_id);
  }
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

absl::StatusOr<CustomerNumber> EventGroup::put_removal(const std::string& customer_id, ErasureReceipt& receipt) {
  const CustomerNumber number = std::exchange(customers_.at(customer_id), 0);  // should the id come again in this group, it is nobody's
  if (number == 0) return number;
  const auto removed = remove_customer(database_, customer_id, number, batch_);
  if (!removed.ok()) return removed.status();
  if (const auto merge = tables_.merges.find(customer_id)) delete_merge(database_, number, merge->sequence, batch_);
  receipt.set_events(receipt.events() + removed->events);
  receipt.set_attributes(receipt.attributes() + removed->attributes);
  counters_.events -= static_cast<uint64_t>(removed->events);
  --counters_.customers;
  return number;
}

absl::Status EventGroup::put_erasure(const ErasedPerson& person) {
  const Erasure erasure{.sequence = person.sequence, .time = now_};
  ErasureReceipt receipt;
  receipt.set_time(now_);
  for (const std::string& id : person.ids) {
    const auto number = put_removal(id, receipt);
    if (!number.ok()) return number.status();
    const std::string hash = tables_.erasures.put(database_, id, erasure, batch_);
    const auto answers = remove_answers(database_, hash, batch_);
    if (!answers.ok()) return answers.status();
    receipt.set_answers(receipt.answers() + *answers);
    erasures_.push_back({.customer = *number, .customer_id = id, .erasure = erasure});
    if (&id == person.ids.data()) {
      receipt.set_customer(*number);
      receipt.set_id_hash(hash);
    } else {
      ErasureReceipt::Other& other = *receipt.add_others();
      other.set_customer(*number);
      other.set_id_hash(hash);
    }
  }
  put_receipt(database_, person.sequence, receipt, batch_);
  return absl::OkStatus();
}

void EventGroup::put_merges() {
  for (const DurableMerge& merge : merges_)
    put_merge(database_,
              {.from = customers_.at(merge.from_customer_id),
               .into = customers_.at(merge.into_customer_id),
               .sequence = merge.sequence,
               .time = now_},
              batch_);
  for (const DurableUnmerge& unmerge : unmerges_)
    put_merge(database_,
              {.from = customers_.at(unmerge.from_customer_id),
               .into = customers_.at(unmerge.into_customer_id),
               .sequence = undone_.sequence,
               .time = undone_.time,
               .undone = unmerge.sequence},
              batch_);
}

// A merge that is there already, under a request id that could not be remembered, has failed too.
void EventGroup::fail(Appends appends, const absl::Status& why) const {
  for (const auto& append : appends)
    for (Outcome& outcome : append->outcomes)
      if (outcome.status.ok() && (outcome.sequence == 0 || outcome.sequence > before_.sequence || append->merge)) outcome = {why, 0, false};
}

}  // namespace bouquet::server
