// What customers did, read beside a server that goes on writing: for training.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/event_store/erasure_table.h"
#include "server/event_store/event_reader.h"
#include "server/event_store/merge_table.h"
#include "server/event_store/name_table.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

// Of the server's own files (FrozenFiles): it locks nothing, and a checkpoint, which only the server could make, is not needed. Not
// thread-safe.
class StoreSnapshot {
 public:
  struct Row {
    std::string_view customer_id, item_id, type;
    const StoredEvent* event = nullptr;
  };

  // Errors: NotFound (no store), DataLoss, ResourceExhausted.
  static absl::StatusOr<std::unique_ptr<StoreSnapshot>> open(const std::string& folder);

  // Every event, customer by customer, in the canonical order of EventReader; texts live during the call. Errors: that of `take`, which
  // ends it; DataLoss, ResourceExhausted.
  absl::Status read(const std::function<absl::Status(const Row&)>& take) const;

  // The last word on each attribute, customer by customer in the same order, of each by name; nothing set: missing. Errors: likewise.
  absl::Status read_attributes(
      const std::function<absl::Status(std::string_view customer_id, std::string_view name, const v1::AttributeValue& value)>& take) const;

  // The roots, as they were when everything up to the arrival `since` had come, of those persons whom somebody was taken out of later, but
  // for those who were erased. Errors: DataLoss, ResourceExhausted.
  absl::StatusOr<std::vector<std::string>> taken_apart_since(uint64_t since) const;

  // Of the newest event, change of attributes, erasure or merge in it; 0: none.
  uint64_t newest_sequence() const { return newest_sequence_; }
  const ErasureTable& erasures() const { return erasures_; }
  const MergeTable& merges() const { return merges_; }
  const StoreDatabase& database() const { return *database_; }
  const std::string& store_identity() const { return database_->identity(); }

 private:
  StoreSnapshot() = default;

  std::unique_ptr<StoreDatabase> database_;
  NameTable items_{NameKind::kItem};
  NameTable types_{NameKind::kEventType};
  ErasureTable erasures_;
  MergeTable merges_;
  uint64_t newest_sequence_ = 0;
};

}  // namespace bouquet::server
