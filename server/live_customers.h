// Customers of whom the store has something that one model does not know: which events count as unknown to it, and who has such.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "engine/id_map.h"
#include "server/erased_rows.h"
#include "server/event_store/event_store.h"
#include "server/event_store/text_map.h"
#include "server/fresh_profiles.h"
#include "server/live_source.h"

namespace bouquet::server {

// What a model was trained with of the store.
struct KnownPart {
  uint64_t sequence = 0;    // trained from the store: with everything up to this arrival; 0: trained from files, then
  int64_t time = 0;         // microseconds since 1970, not after its making: with everything that happened up to then, late arrivals or not
  bool all_stored = false;  // with nothing but the store's events
  bool attributes = false;  // with what was said of customers up to `sequence` too; else that is news to the model

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

// Of a model, given the identity of the store.
KnownPart known_part(const Artifact& artifact, const std::string& store_identity);

// Thread-safe. Ids are kept as hashes of 64 bits: should two meet, a customer without news is looked up in the store as well.
//
// A customer who was erased after the model's training read the store (or ever, if it read files alone) has no row in the model any more;
// of somebody who has come back under the id everything that the store has is news then.
//
// A model that was trained from the store has one row of a person: that of the root of then (MergeTable). Once anybody has been taken out
// of that person, the row is of both and counts for none: everything that the store has of them is news. Of any other model each id has a
// row of its own.
class LiveCustomers final : public LiveSource {
 public:
  // `store` outlives this. `rows`: the model's customers.
  LiveCustomers(const EventStore& store, const KnownPart& known, IdTable rows)
      : store_(store), known_(known), rows_(std::move(rows)), erased_(rows_.size()) {}

  // Reads the whole store for who has news. May run while tell() is called. Errors: those of reading.
  absl::Status scan();
  // What is solved from this: whoever is erased is forgotten there too, as long as it lives.
  void also_forget_in(const std::shared_ptr<FreshProfiles>& profiles);
  // What has just become durable.
  void tell(const DurableGroup& group);

  int64_t version_of(std::string_view customer_id) const override;
  int64_t newest_version() const override { return static_cast<int64_t>(store_.newest_sequence()); }
  void rows_of(std::string_view customer_id, std::vector<CustomerIndex>& rows) const override;
  absl::Status read(std::string_view customer_id, const TakeEvent& take, std::vector<KnownAttributes>& known) const override;
  absl::StatusOr<PastPart> read_past(std::string_view customer_id, const PastMoment& moment, const TakeEvent& take,
                                     std::vector<KnownAttributes>& known) const override;
  bool is_erased(CustomerIndex row) const override { return erased_.contains(row); }
  int64_t erased_count() const override { return erased_.count(); }
  void take_out_erased(std::span<uint64_t> bitmap) const override { erased_.take_out_of(bitmap); }

  // Customers with news.
  int64_t count() const;

 private:
  static constexpr size_t kShards = 64;
  struct News {
    uint64_t version = 0;    // 0: none
    uint64_t erased_at = 0;  // sequence; a scan that has read what came before may still be under way
  };
  struct Shard {
    mutable std::mutex mutex;
    absl::flat_hash_map<uint64_t, News> news;
  };
  // Who was one person when the model was trained. An id that was erased since is empty.
  struct KnownMerges {
    TextMap<std::string> roots;  // of those who were merged into somebody
    TextSet apart;               // roots of whose person somebody was taken out since
  };
  struct KnownRow {
    CustomerIndex row = kNone;
    bool nothing_counts = false;  // what the model had learned of the id does not count any more
  };

  // Of this id alone.
  int64_t own_version(std::string_view customer_id) const;
  // The row that has what this id had done when the model was trained.
  KnownRow row_of(std::string_view customer_id) const;
  absl::StatusOr<bool> goes_on_from_rows(bool has_row, const PastMoment& moment) const;
  absl::Status check_not_erased_since(const std::vector<std::string>& person, const PastMoment& moment) const;
  absl::Status check_not_merged_since(const std::vector<std::string>& person, const PastMoment& moment) const;
  static absl::Status check_not_changed_since(uint64_t attributes, const PastMoment& moment);
  // Of one person, up to `moment`: without `on_rows` everything that the store has. Into `version` what version_of() was then.
  absl::Status read_person(const std::vector<std::string>& person, const PastMoment& moment, bool on_rows, const TakeEvent& take,
                           std::vector<KnownAttributes>& known, uint64_t& version) const;
  void raise(std::string_view customer_id, uint64_t version);
  void erase(const DurableErasure& erasure);
  void find_erased_rows();
  absl::Status scan_erased();
  absl::Status scan_merges();
  absl::StatusOr<KnownMerges> known_merges(const MergesAt& merges) const;
  // Whoever was merged is taken out again.
  void take_out(std::string_view from);
  void take_out_locked(std::string_view from);

  const EventStore& store_;
  const KnownPart known_;
  const IdTable rows_;
  ErasedRows erased_;
  mutable std::shared_mutex merged_mutex_;
  std::optional<KnownMerges> merged_;    // none: not read yet
  std::vector<std::string> taken_out_;   // before that
  std::atomic<bool> any_merged_{false};  // in merged_
  std::array<Shard, kShards> shards_;
  std::mutex profiles_mutex_;
  std::vector<std::weak_ptr<FreshProfiles>> profiles_;
};

// Tells everybody who follows the store what has become durable. Thread-safe.
class LiveFeed {
 public:
  // Who has news for the model `version`, which knows `known`; kept up to date for as long as the result lives. Reads the whole store,
  // unless somebody follows for that version already. Errors: those of reading.
  // `store`, which outlives the result, is the one whose groups are told. `rows`: the model's customers.
  absl::StatusOr<std::shared_ptr<LiveCustomers>> follow(const EventStore& store, const std::string& version, const KnownPart& known,
                                                        const IdTable& rows);

  void tell(const DurableGroup& group);

 private:
  std::mutex following_;
  std::mutex mutex_;                                               // guards followers_
  std::map<std::string, std::weak_ptr<LiveCustomers>> followers_;  // by model version
};

}  // namespace bouquet::server
