// Customers of whom the store has something that one model does not know: which events count as unknown to it, and who has such.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "server/event_store/event_store.h"
#include "server/live_source.h"

namespace bouquet::server {

// Which events of the store a model was trained with. Attributes in the store are news to every model: none is trained with them.
struct KnownPart {
  uint64_t sequence = 0;  // trained from the store: with everything up to this arrival; 0: trained from files, then
  int64_t time = 0;       // microseconds since 1970: with everything that happened up to then, late arrivals or not

  bool has(uint64_t arrival, int64_t happened) const { return sequence != 0 ? arrival <= sequence : happened <= time; }
  // Everything else.
  EventRange rest() const {
    EventRange range;
    if (sequence != 0)
      range.after_sequence = sequence;
    else
      range.after_time = time;
    return range;
  }
};

// Thread-safe. Ids are kept as hashes of 64 bits: should two meet, a customer without news is looked up in the store as well.
class LiveCustomers final : public LiveSource {
 public:
  // `store` outlives this.
  LiveCustomers(const EventStore& store, const KnownPart& known) : store_(store), known_(known) {}

  // Reads the whole store for who has news. May run while tell() is called. Errors: those of reading.
  absl::Status scan();
  // What has just become durable.
  void tell(const DurableGroup& group);

  int64_t version_of(std::string_view customer_id) const override;
  int64_t newest_version() const override { return static_cast<int64_t>(store_.newest_sequence()); }
  absl::Status read(std::string_view customer_id, const TakeEvent& take, AttributeMap& attributes) const override;

  int64_t count() const;

 private:
  static constexpr size_t kShards = 64;
  struct Shard {
    mutable std::mutex mutex;
    absl::flat_hash_map<uint64_t, uint64_t> versions;
  };
  void raise(std::string_view customer_id, uint64_t version);

  const EventStore& store_;
  const KnownPart known_;
  std::array<Shard, kShards> shards_;
};

// Tells everybody who follows the store what has become durable. Thread-safe.
class LiveFeed {
 public:
  // Who has news for the model `version`, which knows `known`; kept up to date for as long as the result lives. Reads the whole store,
  // unless somebody follows for that version already. Errors: those of reading.
  // `store`, which outlives the result, is the one whose groups are told.
  absl::StatusOr<std::shared_ptr<LiveCustomers>> follow(const EventStore& store, const std::string& version, const KnownPart& known);

  void tell(const DurableGroup& group);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<LiveCustomers>> followers_;  // by model version
};

}  // namespace bouquet::server
