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
  uint64_t& at = shard.versions[hash];
  at = std::max(at, version);
}

absl::Status LiveCustomers::scan() {
  absl::Status failed;
  const auto news = [&](CustomerNumber customer, uint64_t version) {
    auto id = store_.customer_id(customer);
    if (!id.ok()) {
      failed = id.status();
      return false;
    }
    raise(*id, version);
    return true;
  };
  absl::Status read = store_.events().scan(known_.rest(), [&](CustomerNumber customer, std::span<const StoredEvent> events) {
    uint64_t version = 0;
    for (const StoredEvent& event : events) version = std::max(version, event.sequence);
    return news(customer, version);
  });
  if (!read.ok()) return read;
  if (!failed.ok()) return failed;
  read = store_.scan_attributes([&](CustomerNumber customer, uint64_t sequence) { return news(customer, sequence); });
  return read.ok() ? failed : read;
}

void LiveCustomers::tell(const DurableGroup& group) {
  for (const DurableEvent& event : group.events)
    if (!known_.has(event.event.sequence, event.event.time)) raise(event.customer_id, event.event.sequence);
  for (const DurableAttributes& attributes : group.attributes) raise(attributes.said->customer_id, attributes.sequence);
}

int64_t LiveCustomers::version_of(std::string_view customer_id) const {
  const uint64_t hash = absl::HashOf(customer_id);
  const Shard& shard = shards_[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.versions.find(hash);
  return at == shard.versions.end() ? 0 : static_cast<int64_t>(at->second);
}

absl::Status LiveCustomers::read(std::string_view customer_id, const TakeEvent& take, AttributeMap& attributes) const {
  const auto customer = store_.find_customer(customer_id);
  if (!customer.ok() || !*customer) return customer.status();
  thread_local std::vector<StoredEvent> events;
  if (absl::Status s = store_.events().events_of(**customer, known_.rest(), events); !s.ok()) return s;
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
    sum += static_cast<int64_t>(shard.versions.size());
  }
  return sum;
}

absl::StatusOr<std::shared_ptr<LiveCustomers>> LiveFeed::follow(const EventStore& store, const std::string& version,
                                                                const KnownPart& known) {
  auto customers = std::make_shared<LiveCustomers>(store, known);
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
