#include "server/live_customers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/hash/hash.h"

namespace bouquet::server {

KnownPart known_part(const Artifact& artifact, const std::string& store_identity) {
  // Events may be dated ahead, by a wrong time zone if nothing else: what happens from the training on is news all the same.
  KnownPart known{.time = std::min(artifact.rules.reference_time, artifact.created_at)};
  known.sequence = artifact.recipe.store.sequence_in(store_identity);
  if (known.sequence == 0) return known;
  // Event files, then the store, then files of items and customers, then what was said of customers.
  const auto& sources = artifact.recipe.sources;
  known.all_stored = !sources.empty() && sources[0] == "store" && std::count(sources.begin(), sources.end(), "store") == 1;
  known.attributes = std::ranges::find(sources, "store/attributes") != sources.end();
  return known;
}

void LiveCustomers::raise(std::string_view customer_id, uint64_t version) {
  const uint64_t hash = absl::HashOf(customer_id);
  Shard& shard = shards_[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  News& news = shard.news[hash];
  if (version > news.erased_at) news.version = std::max(news.version, version);
}

void LiveCustomers::erase(const DurableErasure& erasure) {
  if (const CustomerIndex row = rows_.find(erasure.customer_id); row != kNone) erased_.add(row);
  const uint64_t hash = absl::HashOf(erasure.customer_id);
  {
    Shard& shard = shards_[hash % kShards];
    const std::lock_guard lock(shard.mutex);
    shard.news[hash] = {.version = 0, .erased_at = erasure.erasure.sequence};
  }
  const std::lock_guard lock(profiles_mutex_);
  for (const auto& place : profiles_)
    if (const auto profiles = place.lock()) profiles->forget(erasure.customer_id);
}

void LiveCustomers::also_forget_in(const std::shared_ptr<FreshProfiles>& profiles) {
  const std::lock_guard lock(profiles_mutex_);
  std::erase_if(profiles_, [](const auto& place) { return place.expired(); });
  profiles_.push_back(profiles);
}

// Of a model that was trained with the store after the erasure the row is of the id's next life.
void LiveCustomers::find_erased_rows() {
  if (store_.erasures().empty()) return;
  for (CustomerIndex row = 0; row < rows_.size(); ++row)
    if (const auto erasure = store_.erasures().find(rows_.id(row)); erasure && erasure->sequence > known_.sequence) erased_.add(row);
}

LiveCustomers::KnownRow LiveCustomers::row_of(std::string_view customer_id) const {
  CustomerIndex row = kNone;
  if (any_merged_.load(std::memory_order_acquire)) {
    const std::shared_lock lock(merged_mutex_);
    const auto merged = merged_->roots.find(customer_id);
    const std::string_view root = merged == merged_->roots.end() ? customer_id : std::string_view(merged->second);
    if (merged_->apart.contains(root)) return {kNone, true};
    row = rows_.find(root);
  } else {
    row = rows_.find(customer_id);
  }
  return row != kNone && erased_.contains(row) ? KnownRow{kNone, true} : KnownRow{row, false};
}

// Whom merges concern that the model does not know; and whom the model knows as one person.
absl::Status LiveCustomers::scan_merges() {
  MergesAt merges(known_.sequence);
  absl::Status failed;
  const auto changed = [&](CustomerNumber customer, uint64_t sequence) {
    const auto id = store_.customer_id(customer);
    if (id.ok())
      raise(*id, sequence);
    else if (!absl::IsNotFound(id.status()))  // erased
      failed = id.status();
  };
  const absl::Status read = store_.scan_merges([&](const MergeRecord& record) {
    merges.add(record);
    const uint64_t newest = std::max(record.sequence, record.undone);
    if (newest > known_.sequence) {
      changed(record.from, newest);
      changed(record.into, newest);
    }
    return failed.ok();
  });
  if (!read.ok()) return read;
  if (!failed.ok()) return failed;
  auto known = known_merges(merges);
  if (!known.ok()) return known.status();
  const std::unique_lock lock(merged_mutex_);
  merged_ = *std::move(known);
  for (const std::string& root : merged_->apart)
    if (const CustomerIndex row = rows_.find(root); row != kNone) erased_.add(row);
  for (const std::string& from : std::exchange(taken_out_, {})) take_out_locked(from);
  any_merged_.store(!merged_->roots.empty() || !merged_->apart.empty(), std::memory_order_release);
  return absl::OkStatus();
}

// Whoever was taken out may have been erased since: what the row of the other one has of them must not count all the same.
absl::StatusOr<LiveCustomers::KnownMerges> LiveCustomers::known_merges(const MergesAt& merges) const {
  KnownMerges known;
  absl::Status failed;
  const auto id_of = [&](CustomerNumber customer) {
    auto id = store_.customer_id(customer);
    if (!id.ok() && !absl::IsNotFound(id.status())) failed = id.status();
    return id.ok() ? *std::move(id) : std::string();
  };
  for (const auto& [from, into] : merges.into())
    if (std::string id = id_of(from); !id.empty()) known.roots[std::move(id)] = id_of(merges.root_of(from));
  for (const CustomerNumber from : merges.taken_out()) known.apart.insert(id_of(merges.root_of(from)));
  return failed.ok() ? absl::StatusOr<KnownMerges>(std::move(known)) : failed;
}

void LiveCustomers::take_out_locked(std::string_view from) {
  const auto merged = merged_->roots.find(from);
  if (merged == merged_->roots.end()) return;
  merged_->apart.insert(merged->second);
  if (const CustomerIndex row = rows_.find(merged->second); row != kNone) erased_.add(row);
}

void LiveCustomers::take_out(std::string_view from) {
  const std::unique_lock lock(merged_mutex_);
  if (merged_)
    take_out_locked(from);
  else
    taken_out_.emplace_back(from);
}

// Those who have come back: nothing of theirs is known.
absl::Status LiveCustomers::scan_erased() {
  std::vector<StoredEvent> events;
  for (CustomerIndex row = 0; erased_.count() != 0 && row < rows_.size(); ++row) {
    if (!erased_.contains(row)) continue;
    const auto customer = store_.find_customer(rows_.id(row));
    if (!customer.ok()) return customer.status();
    if (!*customer) continue;
    if (absl::Status s = store_.events().events_of(**customer, {}, events); !s.ok()) return s;
    for (const StoredEvent& event : events) raise(rows_.id(row), event.sequence);
  }
  return absl::OkStatus();
}

absl::Status LiveCustomers::scan() {
  find_erased_rows();
  if (absl::Status s = scan_merges(); !s.ok()) return s;
  absl::Status failed;
  const auto news = [&](CustomerNumber customer, uint64_t version) {
    auto id = store_.customer_id(customer);
    if (id.ok()) raise(*id, version);
    if (id.ok() || absl::IsNotFound(id.status())) return true;  // erased meanwhile
    failed = id.status();
    return false;
  };
  // What the model was trained with is in its row, where there is one.
  const auto said = [&](CustomerNumber customer, uint64_t sequence) {
    if (!known_.attributes || sequence > known_.sequence) return news(customer, sequence);
    const auto id = store_.customer_id(customer);
    return id.ok() && row_of(*id).row != kNone ? true : news(customer, sequence);
  };
  absl::Status read = store_.events().scan(known_.rest(), [&](CustomerNumber customer, std::span<const StoredEvent> events) {
    uint64_t version = 0;
    for (const StoredEvent& event : events) version = std::max(version, event.sequence);
    return news(customer, version);
  });
  if (read.ok() && failed.ok())
    read = store_.scan_attributes([&](CustomerNumber customer, uint64_t sequence) { return said(customer, sequence); });
  if (!read.ok()) return read;
  return failed.ok() ? scan_erased() : failed;
}

void LiveCustomers::tell(const DurableGroup& group) {
  for (const DurableErasure& erasure : group.erasures) erase(erasure);
  for (const DurableEvent& event : group.events)
    if (!known_.has(event.event.sequence, event.event.time) || row_of(event.customer_id).nothing_counts)
      raise(event.customer_id, event.event.sequence);
  for (const DurableAttributes& attributes : group.attributes) raise(attributes.said->customer_id, attributes.sequence);
  for (const DurableMerge& merge : group.merges) raise(merge.from_customer_id, merge.sequence);
  for (const DurableUnmerge& unmerge : group.unmerges) {
    take_out(unmerge.from_customer_id);  // before anybody has a version that says so
    raise(unmerge.from_customer_id, unmerge.sequence);
    raise(unmerge.into_customer_id, unmerge.sequence);
  }
}

int64_t LiveCustomers::version_of(std::string_view customer_id) const {
  if (store_.merges().empty()) return own_version(customer_id);
  int64_t version = 0;
  for (const std::string& id : store_.merges().person_of(customer_id)) version = std::max(version, own_version(id));
  return version;
}

int64_t LiveCustomers::own_version(std::string_view customer_id) const {
  const uint64_t hash = absl::HashOf(customer_id);
  const Shard& shard = shards_[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.news.find(hash);
  return at == shard.news.end() ? 0 : static_cast<int64_t>(at->second.version);
}

void LiveCustomers::rows_of(std::string_view customer_id, std::vector<CustomerIndex>& rows) const {
  rows.clear();
  const auto add = [&](std::string_view id) {
    if (const CustomerIndex row = row_of(id).row; row != kNone && std::ranges::find(rows, row) == rows.end()) rows.push_back(row);
  };
  if (store_.merges().empty()) return add(customer_id);  // as most are asked for: nothing to copy
  for (const std::string& id : store_.merges().person_of(customer_id)) add(id);
}

absl::Status LiveCustomers::read_person(const std::vector<std::string>& person, const PastMoment& moment, bool on_rows,
                                        const TakeEvent& take, std::vector<KnownAttributes>& known, uint64_t& version) const {
  thread_local std::vector<StoredEvent> events, own;
  events.clear();
  for (const std::string& id : person) {
    KnownAttributes& one = known.emplace_back();
    const auto [row, nothing_counts] = row_of(id);
    if (std::ranges::find(known, row, &KnownAttributes::row) == known.end()) one.row = row;
    const auto customer = store_.find_customer(id);
    if (!customer.ok()) return customer.status();
    if (!*customer) continue;
    EventRange range = nothing_counts || !on_rows ? EventRange{} : known_.rest();
    range.up_to_time = moment.up_to_time;
    range.up_to_sequence = static_cast<uint64_t>(moment.up_to_version);
    if (absl::Status s = store_.events().events_of(**customer, range, own); !s.ok()) return s;
    events.insert(events.end(), own.begin(), own.end());
    auto said = store_.attributes_of(**customer);
    if (!said.ok()) return said.status();
    if (absl::Status s = check_not_changed_since(said->sequence, moment); !s.ok()) return s;
    version = std::max(version, said->sequence);
    for (auto& [name, value] : said->values) one.live[name] = std::move(value);
  }
  if (known.size() > 1) store_.events().sort(events);
  if (static_cast<int64_t>(events.size()) > moment.event_count) events.resize(static_cast<size_t>(moment.event_count));
  const NameTable::Reading items(store_.item_ids());
  const NameTable::Reading types(store_.event_types());
  for (const StoredEvent& event : events) {
    version = std::max(version, event.sequence);
    take(items.name(event.item), types.name(event.type), event.time, event.value);
  }
  return absl::OkStatus();
}

absl::Status LiveCustomers::read(std::string_view customer_id, const TakeEvent& take, std::vector<KnownAttributes>& known) const {
  uint64_t unused = 0;
  return read_person(store_.merges().person_of(customer_id), {}, true, take, known, unused);
}

absl::StatusOr<LiveSource::PastPart> LiveCustomers::read_past(std::string_view customer_id, const PastMoment& moment, const TakeEvent& take,
                                                              std::vector<KnownAttributes>& known) const {
  const std::vector<std::string> person = store_.merges().person_of(customer_id);
  if (absl::Status s = check_not_erased_since(person, moment); !s.ok()) return s;
  if (absl::Status s = check_not_merged_since(person, moment); !s.ok()) return s;
  const bool has_row = std::ranges::any_of(person, [&](const std::string& id) { return row_of(id).row != kNone; });
  const auto on_rows = goes_on_from_rows(has_row, moment);
  if (!on_rows.ok()) return on_rows.status();
  uint64_t version = 0;
  for (const std::string& id : person)
    if (const auto merge = store_.merges().find(id); merge && merge->sequence > known_.sequence)
      version = std::max(version, merge->sequence);
  if (absl::Status s = read_person(person, moment, *on_rows, take, known, version); !s.ok()) return s;
  return PastPart{.version = moment.of_answer ? moment.up_to_version : static_cast<int64_t>(version), .with_row = *on_rows};
}

// Whether what was known at `moment` is the model's rows and what came after them, or everything up to then from the store alone.
absl::StatusOr<bool> LiveCustomers::goes_on_from_rows(bool has_row, const PastMoment& moment) const {
  if (moment.of_answer) return true;
  const bool by_count = moment.event_count != PastMoment{}.event_count;
  const bool before =
      by_count || moment.up_to_time < known_.time || (known_.sequence != 0 && moment.up_to_version < static_cast<int64_t>(known_.sequence));
  if (!before) return true;
  if (known_.all_stored) return false;
  if (!has_row) return true;
  return absl::FailedPreconditionError(
      "as_of: the model was trained with event files, so that what it knows of the customer cannot be taken apart: ask for a moment after "
      "its training, or train it from the store alone");
}

absl::Status LiveCustomers::check_not_erased_since(const std::vector<std::string>& person, const PastMoment& moment) const {
  for (const std::string& id : person) {
    const auto erasure = store_.erasures().find(id);
    if (!erasure) continue;
    const bool since = moment.of_answer
                           ? erasure->time > moment.answered_at
                           : erasure->time > moment.up_to_time || erasure->sequence > static_cast<uint64_t>(moment.up_to_version);
    if (since) return absl::FailedPreconditionError("as_of: the customer was erased since, and what was known then is gone");
  }
  return absl::OkStatus();
}

// A merge that was taken back has no time of that: where moments are times it may have been since.
absl::Status LiveCustomers::check_not_merged_since(const std::vector<std::string>& person, const PastMoment& moment) const {
  std::vector<CustomerNumber> numbers;
  for (const std::string& id : person) {
    const auto number = store_.find_customer(id);
    if (!number.ok()) return number.status();
    if (*number) numbers.push_back(**number);
  }
  const auto is_one = [&](CustomerNumber number) { return std::ranges::find(numbers, number) != numbers.end(); };
  const uint64_t then = std::max(static_cast<uint64_t>(moment.up_to_version), moment.of_answer ? known_.sequence : 0);
  bool since = false;
  const absl::Status read = store_.scan_merges([&](const MergeRecord& record) {
    if (!is_one(record.from) && !is_one(record.into)) return true;
    const bool known_then = record.sequence <= then && record.time <= moment.up_to_time;
    const bool undone_then = record.undone != 0 && record.undone <= then && moment.up_to_time == PastMoment{}.up_to_time;
    since = (known_then && !undone_then) != (record.undone == 0);
    return !since;
  });
  if (!read.ok() || !since) return read;
  return absl::FailedPreconditionError("as_of: the customer was merged with another, or taken apart from one, since");
}

absl::Status LiveCustomers::check_not_changed_since(uint64_t attributes, const PastMoment& moment) {
  if (attributes <= static_cast<uint64_t>(moment.up_to_version)) return absl::OkStatus();
  return absl::FailedPreconditionError("as_of: attributes of the customer were set since (profile_version " + std::to_string(attributes) +
                                       "), and what was known then is gone");
}

int64_t LiveCustomers::count() const {
  int64_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [hash, news] : shard.news) sum += news.version != 0 ? 1 : 0;
  }
  return sum;
}

absl::StatusOr<std::shared_ptr<LiveCustomers>> LiveFeed::follow(const EventStore& store, const std::string& version, const KnownPart& known,
                                                                const IdTable& rows) {
  const std::lock_guard one_after_the_other(following_);  // who comes second gets what has been scanned
  auto customers = std::make_shared<LiveCustomers>(store, known, rows);
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(followers_, [](const auto& follower) { return follower.second.expired(); });
    auto& place = followers_[version];
    if (auto there = place.lock()) return there;
    place = customers;  // before the scan, so that nothing falls between the two
  }
  if (absl::Status s = customers->scan(); !s.ok()) return s;
  return customers;
}

void LiveFeed::tell(const DurableGroup& group) {
  std::vector<std::shared_ptr<LiveCustomers>> followers;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [version, follower] : followers_)
      if (auto alive = follower.lock()) followers.push_back(std::move(alive));
  }
  for (const auto& follower : followers) follower->tell(group);
}

}  // namespace bouquet::server
