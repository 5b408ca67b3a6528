#include "server/live_customers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/hash/hash.h"

namespace bouquet::server {

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

bool LiveCustomers::is_erased(std::string_view customer_id) const {
  if (erased_.count() == 0) return false;
  const CustomerIndex row = rows_.find(customer_id);
  return row != kNone && erased_.contains(row);
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
  absl::Status failed;
  const auto news = [&](CustomerNumber customer, uint64_t version) {
    auto id = store_.customer_id(customer);
    if (id.ok()) raise(*id, version);
    if (id.ok() || absl::IsNotFound(id.status())) return true;  // erased meanwhile
    failed = id.status();
    return false;
  };
  absl::Status read = store_.events().scan(known_.rest(), [&](CustomerNumber customer, std::span<const StoredEvent> events) {
    uint64_t version = 0;
    for (const StoredEvent& event : events) version = std::max(version, event.sequence);
    return news(customer, version);
  });
  if (read.ok() && failed.ok())
    read = store_.scan_attributes([&](CustomerNumber customer, uint64_t sequence) { return news(customer, sequence); });
  if (!read.ok()) return read;
  return failed.ok() ? scan_erased() : failed;
}

void LiveCustomers::tell(const DurableGroup& group) {
  for (const DurableErasure& erasure : group.erasures) erase(erasure);
  for (const DurableEvent& event : group.events)
    if (!known_.has(event.event.sequence, event.event.time) || is_erased(event.customer_id)) raise(event.customer_id, event.event.sequence);
  for (const DurableAttributes& attributes : group.attributes) raise(attributes.said->customer_id, attributes.sequence);
}

int64_t LiveCustomers::version_of(std::string_view customer_id) const {
  const uint64_t hash = absl::HashOf(customer_id);
  const Shard& shard = shards_[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.news.find(hash);
  return at == shard.news.end() ? 0 : static_cast<int64_t>(at->second.version);
}

absl::Status LiveCustomers::read(std::string_view customer_id, const TakeEvent& take, AttributeMap& attributes) const {
  const auto customer = store_.find_customer(customer_id);
  if (!customer.ok() || !*customer) return customer.status();
  thread_local std::vector<StoredEvent> events;
  const EventRange range = is_erased(customer_id) ? EventRange{} : known_.rest();
  if (absl::Status s = store_.events().events_of(**customer, range, events); !s.ok()) return s;
  const NameTable::Reading items(store_.item_ids());
  const NameTable::Reading types(store_.event_types());
  for (const StoredEvent& event : events) take(items.name(event.item), types.name(event.type), event.time, event.value);
  auto said = store_.attributes_of(**customer);
  if (!said.ok()) return said.status();
  for (auto& [name, value] : said->values) attributes[name] = std::move(value);
  return absl::OkStatus();
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
