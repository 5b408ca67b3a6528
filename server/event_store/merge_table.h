// Who is one person with whom, by ids, in memory: each id is merged into one other at most, and nobody goes round in a circle, so that ids
// form trees. The person is a whole tree; its root has the first word.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/event_store/store_database.h"
#include "server/event_store/text_map.h"

namespace bouquet::server {

inline constexpr absl::Duration kUndoWindow = absl::Hours(24 * 30);  // from a merge on
inline constexpr size_t kMaxPersonIds = 1000;                        // an answer reads all of them

// One that holds.
struct Merge {
  std::string into;
  uint64_t sequence = 0;
  int64_t time = 0;  // microseconds since 1970
};

// Thread-safe; one thread at a time changes it. What changes it is in the store already.
class MergeTable {
 public:
  // Errors: DataLoss, ResourceExhausted.
  absl::Status load(const StoreDatabase& database);

  bool empty() const { return size() == 0; }
  int64_t size() const { return count_.load(std::memory_order_acquire); }  // merges

  // None: it is merged into nobody.
  std::optional<Merge> find(std::string_view from) const;
  std::string root_of(std::string_view id) const;
  // All ids of the person whom the id is of, the root first, then those nearest to it, equally near ones by when they were merged. Costs
  // nothing but a copy while nobody is merged.
  std::vector<std::string> person_of(std::string_view id) const;

  // Whether `from` may be merged into `into`; Ok too if it is so already. Errors: FailedPrecondition, naming the ids.
  absl::Status check_merge(std::string_view from, std::string_view into) const;
  // Whether the merge of `from` may be taken back at `now`. Errors: likewise.
  absl::Status check_unmerge(std::string_view from, absl::Time now) const;

  void add(std::string_view from, Merge merge);
  void remove(std::string_view from);

 private:
  std::string_view root_locked(std::string_view id) const;
  std::vector<std::string> person_locked(std::string_view id) const;
  void count() { count_.store(static_cast<int64_t>(merges_.size()), std::memory_order_release); }

  std::atomic<int64_t> count_{0};
  mutable std::shared_mutex mutex_;
  TextMap<Merge> merges_;                     // by `from`
  TextMap<std::vector<std::string>> merged_;  // into -> from
};

}  // namespace bouquet::server
