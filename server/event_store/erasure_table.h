// Who was erased: of each id a keyed hash, in memory and in Family::kErasures, and a receipt for each erasure. The id itself is not kept.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "bouquet/store/v1/erasure_receipt.pb.h"
#include "engine/sha256.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

using ErasureReceipt = store::v1::ErasureReceipt;

// The last one of an id: what arrived before or happened up to then is gone.
struct Erasure {
  uint64_t sequence = 0;
  int64_t time = 0;  // microseconds since 1970
};

// Thread-safe; one thread at a time calls put(), put_hash() and add().
class ErasureTable {
 public:
  // Nothing in a store that an older program has made and no server has opened since. Errors: DataLoss, ResourceExhausted.
  absl::Status load(const StoreDatabase& database);

  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  int64_t size() const { return count_.load(std::memory_order_acquire); }  // ids
  // None: nobody of this id was ever erased. Costs nothing while the table is empty, else about .4 microseconds.
  std::optional<Erasure> find(std::string_view customer_id) const;

  // Whether the receipt is of an erasure of this id, or of a person who had it.
  bool is_of(const ErasureReceipt& receipt, std::string_view customer_id) const;

  // What stands for the id where it is not to be read: 32 bytes, or empty as long as nothing was ever written under such a hash.
  std::string hash_of(std::string_view customer_id) const;
  // The same, before something is written under it in `batch`: never empty.
  std::string put_hash(const StoreDatabase& database, std::string_view customer_id, rocksdb::WriteBatch& batch);

  // Adds to `batch` what find() goes by from the next start on. Returns the hash of the id, for the receipt.
  std::string put(const StoreDatabase& database, std::string_view customer_id, const Erasure& erasure, rocksdb::WriteBatch& batch);
  // What put() was called with is in the store: find() goes by it from now on.
  void add(std::string_view customer_id, const Erasure& erasure);

 private:
  using Hash = std::array<unsigned char, 32>;
  void set_salt(std::string salt);
  // Once there is a salt.
  Hash hash(std::string_view customer_id) const { return hmac_->of(customer_id); }

  std::atomic<int64_t> count_{0};
  mutable std::shared_mutex mutex_;
  std::string salt_;                // the store's own; made when it is first needed
  std::optional<HmacSha256> hmac_;  // under the salt
  absl::flat_hash_map<Hash, Erasure> erasures_;
};

// What a caller knows an erasure by: which store, and which sequence.
std::string receipt_id(const StoreDatabase& database, uint64_t sequence);
// Errors: NotFound, DataLoss, ResourceExhausted.
absl::StatusOr<ErasureReceipt> read_receipt(const StoreDatabase& database, uint64_t sequence);
// All of them by sequence, the oldest first. Errors: DataLoss, ResourceExhausted.
absl::StatusOr<std::map<uint64_t, ErasureReceipt>> read_receipts(const StoreDatabase& database);
// In the place of the one with this sequence.
void put_receipt(const StoreDatabase& database, uint64_t sequence, const ErasureReceipt& receipt, rocksdb::WriteBatch& batch);

}  // namespace bouquet::server
