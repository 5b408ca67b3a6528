#include "server/event_store/event_store.h"

#include <rocksdb/db.h>

#include <chrono>
#include <utility>

#include "engine/errors.h"
#include "engine/seconds_since.h"
#include "server/event_store/attribute_entry.h"
#include "server/event_store/customer_numbers.h"
#include "server/event_store/event_group.h"
#include "server/event_store/event_keys.h"
#include "server/event_store/scan_options.h"

namespace bouquet::server {
namespace {

constexpr int64_t kRowBytes = 96;  // what a row costs beside its texts

int64_t bytes_of(const NewEvent& event) {
  return kRowBytes + static_cast<int64_t>(event.customer_id.size() + event.item_id.size() + event.type.size() + event.event_id.size() +
                                          event.basket_id.size() + event.recommendation_id.size() + event.placement.size());
}

uint64_t content_of(const NewAttributes& attributes) {
  const std::map<std::string, const v1::AttributeValue*> sorted = [&] {
    std::map<std::string, const v1::AttributeValue*> values;
    for (const auto& [name, value] : *attributes.values) values[name] = &value;
    return values;
  }();
  std::string text(attributes.customer_id);
  for (const auto& [name, value] : sorted) {
    const std::string bytes = value->SerializeAsString();
    append_varint(name.size(), text);
    text += name;
    append_varint(bytes.size(), text);
    text += bytes;
  }
  return fixed64_at(hash_of_request_id(text).data());
}

uint64_t content_of(const NewErasure& erasure) {
  return fixed64_at(hash_of_request_id("erase " + std::string(erasure.customer_id)).data());
}

uint64_t content_of(const NewMerge& merge) {
  std::string text = "merge ";
  append_varint(merge.from_customer_id.size(), text);
  text += merge.from_customer_id;
  text += merge.into_customer_id;
  return fixed64_at(hash_of_request_id(text).data());
}

uint64_t content_of(const NewUnmerge& unmerge) {
  return fixed64_at(hash_of_request_id("unmerge " + std::string(unmerge.from_customer_id)).data());
}

// What is said once with a request id, which may be empty; the rest is the caller's to fill.
std::unique_ptr<Append> one_row(std::string_view request_id, Append::Done done, Append::Unwanted unwanted) {
  auto append = std::make_unique<Append>();
  append->outcomes.resize(1);
  append->hashes.resize(1);
  append->contents.resize(1);
  if (!request_id.empty()) append->hashes[0] = hash_of_request_id(request_id);
  append->bytes = kRowBytes;
  append->done = std::move(done);
  append->unwanted = std::move(unwanted);
  return append;
}

// Answers those that nobody waits for, and takes them out.
void drop_unwanted(std::vector<std::unique_ptr<Append>>& appends) {
  std::erase_if(appends, [](const std::unique_ptr<Append>& append) {
    const absl::Status why = append->unwanted ? append->unwanted() : absl::OkStatus();
    if (why.ok()) return false;
    for (Outcome& outcome : append->outcomes) outcome.status = why;
    append->done(append->outcomes);
    return true;
  });
}

}  // namespace

EventStore::EventStore(StoreDatabase& database, EventStoreOptions options)
    : database_(database), options_(std::move(options)), queue_(options_.queue) {}

absl::StatusOr<std::unique_ptr<EventStore>> EventStore::open(StoreDatabase& database, EventStoreOptions options) {
  std::unique_ptr<EventStore> store(new EventStore(database, std::move(options)));
  if (absl::Status s = store->items_.load(database); !s.ok()) return s;
  if (absl::Status s = store->types_.load(database); !s.ok()) return s;
  if (absl::Status s = store->erasures_.load(database); !s.ok()) return s;
  if (absl::Status s = store->merges_.load(database); !s.ok()) return s;
  const auto counters = read_counters(database);
  if (!counters.ok()) return counters.status();
  store->counters_ = *counters;
  store->newest_ = counters->sequence;
  store->writer_ = std::thread([raw = store.get()] { raw->write_groups(); });
  return store;
}

EventStore::~EventStore() {
  queue_.close();
  if (writer_.joinable()) writer_.join();
}

absl::Status EventStore::append(std::span<const NewEvent> events, Append::Done done, Append::Unwanted unwanted) {
  auto append = std::make_unique<Append>();
  append->events = events;
  append->outcomes.resize(events.size());
  append->hashes.resize(events.size());
  append->contents.resize(events.size());
  append->arrived = absl::ToUnixMicros(options_.clock());
  append->done = std::move(done);
  append->unwanted = std::move(unwanted);
  const int64_t latest = append->arrived + absl::ToInt64Microseconds(options_.max_future);
  for (size_t i = 0; i < events.size(); ++i) {
    append->bytes += bytes_of(events[i]);
    if (events[i].time.value_or(0) > latest) {
      append->outcomes[i].status = absl::InvalidArgumentError("time: is too far in the future; check the clock that it comes from");
    } else if (!events[i].event_id.empty()) {
      append->hashes[i] = hash_of_event_id(events[i].event_id);
      append->contents[i] = content_of(events[i]);
    }
  }
  return queue_.push(std::move(append));
}

absl::Status EventStore::set_attributes(const NewAttributes& attributes, Append::Done done, Append::Unwanted unwanted) {
  auto append = one_row(attributes.request_id, std::move(done), std::move(unwanted));
  append->attributes = attributes;
  if (!attributes.request_id.empty()) append->contents[0] = content_of(attributes);
  for (const auto& [name, value] : *attributes.values) append->bytes += static_cast<int64_t>(name.size() + value.ByteSizeLong());
  return queue_.push(std::move(append));
}

absl::Status EventStore::erase_customer(const NewErasure& erasure, Append::Done done, Append::Unwanted unwanted) {
  auto append = one_row(erasure.request_id, std::move(done), std::move(unwanted));
  append->erasure = erasure;
  if (!erasure.request_id.empty()) append->contents[0] = content_of(erasure);
  return queue_.push(std::move(append));
}

absl::Status EventStore::merge_customers(const NewMerge& merge, Append::Done done, Append::Unwanted unwanted) {
  auto append = one_row(merge.request_id, std::move(done), std::move(unwanted));
  append->merge = merge;
  if (!merge.request_id.empty()) append->contents[0] = content_of(merge);
  return queue_.push(std::move(append));
}

absl::Status EventStore::unmerge_customers(const NewUnmerge& unmerge, Append::Done done, Append::Unwanted unwanted) {
  auto append = one_row(unmerge.request_id, std::move(done), std::move(unwanted));
  append->unmerge = unmerge;
  if (!unmerge.request_id.empty()) append->contents[0] = content_of(unmerge);
  return queue_.push(std::move(append));
}

absl::Status EventStore::keep_answers(std::span<const NewAnswer> answers, Append::Done done) {
  auto append = std::make_unique<Append>();
  append->answers = answers;
  append->outcomes.resize(answers.size());
  for (const NewAnswer& answer : answers)
    append->bytes += kRowBytes + static_cast<int64_t>(answer.customer_id.size() + answer.logged.size());
  append->done = std::move(done);
  return queue_.push(std::move(append));
}

void EventStore::write_groups() {
  for (auto group = queue_.take(); !group.empty(); group = queue_.take()) {
    drop_unwanted(group);
    if (!group.empty()) commit(group);
  }
}

void EventStore::commit(std::span<const std::unique_ptr<Append>> appends) {
  const absl::Time now = options_.clock();
  EventGroup group(database_, {items_, types_, erasures_, merges_}, counters_, now, now - database_.event_id_window());
  CommitReport report;
  absl::Status done = group.resolve(appends);
  if (done.ok() && !group.empty()) {
    const auto begin = std::chrono::steady_clock::now();
    done = database_.write(group.batch());
    report.write_seconds = seconds_since(begin);
  }
  if (!done.ok()) {
    group.fail(appends, done);
  } else if (!group.empty()) {
    counters_ = group.counters();
    update_tables(group);
    report.stored = static_cast<int64_t>(group.durable().events.size());
    if (options_.listener) options_.listener(group.durable());
    newest_.store(counters_.sequence, std::memory_order_release);
  }
  tell(appends, report);
}

// Before the listener: whoever finds the listener's work done finds these changed too.
void EventStore::update_tables(const EventGroup& group) {
  items_.add(group.new_items());
  types_.add(group.new_types());
  const DurableGroup durable = group.durable();
  for (const DurableErasure& erasure : durable.erasures) {
    erasures_.add(erasure.customer_id, erasure.erasure);
    merges_.remove(erasure.customer_id);
  }
  for (const DurableMerge& merge : durable.merges)
    merges_.add(merge.from_customer_id, {.into = std::string(merge.into_customer_id), .sequence = merge.sequence, .time = group.time()});
  for (const DurableUnmerge& unmerge : durable.unmerges) merges_.remove(unmerge.from_customer_id);
}

void EventStore::tell(std::span<const std::unique_ptr<Append>> appends, CommitReport report) {
  for (const auto& append : appends)
    for (const Outcome& outcome : append->outcomes) {
      if (!append->answers.empty()) continue;  // whose caller counts them
      if (outcome.repeated) ++report.repeated;
      if (outcome.status.ok()) continue;
      ++(is_refusal(outcome.status) ? report.refused : report.failed);
    }
  if (options_.observer != nullptr) options_.observer->committed(report);
  for (const auto& append : appends) append->done(append->outcomes);
}

absl::StatusOr<std::optional<CustomerNumber>> EventStore::find_customer(std::string_view id) const {
  CustomerNumber number = 0;
  if (absl::Status s = find_customers(database_, {&id, 1}, {&number, 1}); !s.ok()) return s;
  if (number == 0) return std::nullopt;
  return number;
}

absl::StatusOr<MergeRecord> EventStore::merge_of(std::string_view from, uint64_t sequence) const {
  const auto customer = find_customer(from);
  if (!customer.ok()) return customer.status();
  if (!*customer) return missing_input("the store: has no such merge");
  return read_merge(database_, **customer, sequence);
}

absl::StatusOr<std::string> EventStore::customer_id(CustomerNumber number) const { return id_of_customer(database_, number); }

absl::StatusOr<StoredAttributes> EventStore::attributes_of(CustomerNumber customer) const {
  StoredAttributes attributes;
  std::string prefix;
  append_fixed64(customer, prefix);
  const std::unique_ptr<rocksdb::Iterator> at(database_.rocks().NewIterator({}, database_.family(Family::kAttributes)));
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
    AttributeEntry entry;
    if (!parse_attribute_entry(at->value().ToStringView(), entry)) return bad_input("the store: an attribute is damaged");
    attributes.sequence = std::max(attributes.sequence, entry.sequence);
    attributes.values[std::string(at->key().ToStringView().substr(prefix.size()))] = std::move(entry.value);
  }
  if (absl::Status s = of_rocks(at->status()); !s.ok()) return s;
  return attributes;
}

absl::Status EventStore::scan_attributes(const std::function<bool(CustomerNumber, uint64_t sequence)>& take) const {
  const std::unique_ptr<rocksdb::Iterator> at(database_.rocks().NewIterator(scan_options(), database_.family(Family::kAttributes)));
  CustomerNumber customer = 0;
  uint64_t newest = 0;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    std::string_view value = at->value().ToStringView();
    uint64_t sequence = 0;
    if (at->key().size() < kCustomerKeyBytes || !take_varint(value, sequence)) return bad_input("the store: an attribute is damaged");
    const CustomerNumber next = customer_of_key(at->key().ToStringView());
    if (next != customer && customer != 0 && !take(customer, newest)) return absl::OkStatus();
    newest = next == customer ? std::max(newest, sequence) : sequence;
    customer = next;
  }
  if (absl::Status s = of_rocks(at->status()); !s.ok()) return s;
  if (customer != 0) take(customer, newest);
  return absl::OkStatus();
}

}  // namespace bouquet::server
