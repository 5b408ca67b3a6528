#include "server/fresh_profiles.h"

#include <utility>

#include "absl/hash/hash.h"

namespace bouquet::server {
namespace {

constexpr int64_t kEntryBytes = 200;  // of lists, tables and headers, about

}  // namespace

int64_t FreshProfile::bytes() const {
  return kEntryBytes + static_cast<int64_t>(sizeof(float) * (profile.capacity() + repurchase.capacity()) +
                                            sizeof(int32_t) * items.capacity() + consumed.capacity());
}

FreshProfiles::Shard& FreshProfiles::shard_of(std::string_view customer_id) { return shards_[absl::HashOf(customer_id) % kShards]; }

void FreshProfiles::Shard::erase(std::list<Entry>::iterator entry) {
  bytes -= entry->bytes;
  places.erase(std::string_view(entry->customer_id));
  entries.erase(entry);
}

std::shared_ptr<const FreshProfile> FreshProfiles::find(std::string_view customer_id, int64_t version) {
  Shard& shard = shard_of(customer_id);
  const std::lock_guard lock(shard.mutex);
  const auto place = shard.places.find(customer_id);
  if (place == shard.places.end()) return nullptr;
  if (place->second->profile->version != version) {
    shard.erase(place->second);
    return nullptr;
  }
  shard.entries.splice(shard.entries.begin(), shard.entries, place->second);
  return place->second->profile;
}

void FreshProfiles::put(std::string_view customer_id, std::shared_ptr<const FreshProfile> profile) {
  const int64_t bytes = profile->bytes() + static_cast<int64_t>(customer_id.size());
  Shard& shard = shard_of(customer_id);
  const std::lock_guard lock(shard.mutex);
  if (const auto place = shard.places.find(customer_id); place != shard.places.end()) {
    if (place->second->profile->version > profile->version) return;
    shard.erase(place->second);
  }
  if (bytes > max_shard_bytes_) return;
  while (shard.bytes + bytes > max_shard_bytes_) shard.erase(std::prev(shard.entries.end()));
  shard.entries.push_front({std::string(customer_id), std::move(profile), bytes});
  shard.places.emplace(shard.entries.front().customer_id, shard.entries.begin());
  shard.bytes += bytes;
}

void FreshProfiles::forget(std::string_view customer_id) {
  Shard& shard = shard_of(customer_id);
  const std::lock_guard lock(shard.mutex);
  if (const auto place = shard.places.find(customer_id); place != shard.places.end()) shard.erase(place->second);
}

int64_t FreshProfiles::bytes() const {
  int64_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.bytes;
  }
  return sum;
}

}  // namespace bouquet::server
