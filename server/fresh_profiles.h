// The profiles that were solved for customers of whom something new is known, kept for the next request within a bound of memory: those
// used longest ago go first. Of one model.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace bouquet::server {

struct FreshProfile {
  int64_t version = 0;         // LiveSource::version_of when it was solved
  std::vector<float> profile;  // [d]; empty: nothing is known
  std::vector<int32_t> items;  // the history by columns, as HistoryView
  std::vector<uint8_t> consumed;
  std::vector<float> repurchase;
  int32_t attributes_used = 0;

  int64_t bytes() const;
};

// What requests that such a profile may answer found, for metrics. Called from any thread; quick.
class FreshProfileObserver {
 public:
  virtual ~FreshProfileObserver() = default;
  // `kept`: it was there; else it is solved.
  virtual void fresh_profile_read(bool /*kept*/) {}
};

// Thread-safe.
class FreshProfiles {
 public:
  explicit FreshProfiles(int64_t max_bytes) : max_shard_bytes_(max_bytes / static_cast<int64_t>(kShards)) {}

  // nullptr: none, or of another version.
  std::shared_ptr<const FreshProfile> find(std::string_view customer_id, int64_t version);
  // In the place of an older one. Nothing is kept of what is larger than a shard.
  void put(std::string_view customer_id, std::shared_ptr<const FreshProfile> profile);

  void forget(std::string_view customer_id);

  int64_t bytes() const;

 private:
  static constexpr size_t kShards = 16;
  struct Entry {
    std::string customer_id;
    std::shared_ptr<const FreshProfile> profile;
    int64_t bytes = 0;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;                                                  // used last in front
    absl::flat_hash_map<std::string_view, std::list<Entry>::iterator> places;  // keys stand in the entries
    int64_t bytes = 0;

    void erase(std::list<Entry>::iterator entry);
  };
  Shard& shard_of(std::string_view customer_id);

  const int64_t max_shard_bytes_;
  std::array<Shard, kShards> shards_;
};

}  // namespace bouquet::server
