// Between the outside world's ids (any UTF-8 up to 128 bytes) and dense indices 0, 1, 2, ... in order of first sight.
// Ids stand one after the other in one byte arena; the look-up is open addressing over 64-bit slots (32 bits of hash, 31 of
// index), so that 100 million ids cost their bytes, 8 bytes of offset and about 12 to 24 of slots each, and no allocation of their own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/shared_array.h"
#include "engine/views.h"

namespace bouquet {

inline constexpr size_t kMaxIdBytes = 128;

// The frozen, read-only form: what a model holds, owned or mapped from an artifact. Thread-safe; copies share memory.
class IdTable {
 public:
  IdTable() = default;

  // Takes the three arrays of a stored table after checking all of them: offsets ascend from 0 to the arena's size, ids are 1 to
  // 128 bytes, every id is found at its own index by its own bytes. Errors: DataLoss, saying which check failed.
  static absl::StatusOr<IdTable> from_parts(SharedArray<char> bytes, SharedArray<uint64_t> offsets, SharedArray<uint64_t> slots);

  int32_t size() const { return static_cast<int32_t>(offsets_.empty() ? 0 : offsets_.size() - 1); }
  int32_t find(std::string_view id) const;  // the id's index, or kNone
  // The id at `index`, 0 <= index < size(). Points into the table.
  std::string_view id(int32_t index) const {
    return {bytes_.data() + offsets_[index], static_cast<size_t>(offsets_[index + 1] - offsets_[index])};
  }

  const SharedArray<char>& bytes() const { return bytes_; }
  const SharedArray<uint64_t>& offsets() const { return offsets_; }  // [size + 1]
  const SharedArray<uint64_t>& slots() const { return slots_; }      // a power of two, or empty

 private:
  friend class IdMap;
  SharedArray<char> bytes_;
  SharedArray<uint64_t> offsets_;
  SharedArray<uint64_t> slots_;
};

// The growing form. Not thread-safe.
class IdMap {
 public:
  IdMap() : offsets_{0} {}

  // The id's index; a new id gets the next one. The caller has checked the id (1 to kMaxIdBytes bytes); at most 2^31 - 1 ids.
  int32_t add(std::string_view id) { return add(id, hash(id)); }
  // For bulk loading: the hash is computed elsewhere, and the map's memory is asked for some rows ahead of its use.
  int32_t add(std::string_view id, uint64_t hash_of_id);
  static uint64_t hash(std::string_view id);
  // Three steps, each some rows after the one before, since each needs what the last one fetched: slot, offset, bytes.
  void prefetch_slot(uint64_t hash_of_id) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash_of_id & (slots_.size() - 1)]);
  }
  void prefetch_offset(uint64_t hash_of_id) const {
    if (const uint64_t slot = first_slot(hash_of_id); slot != 0) __builtin_prefetch(&offsets_[static_cast<uint32_t>(slot) - 1]);
  }
  void prefetch_bytes(uint64_t hash_of_id) const {
    if (const uint64_t slot = first_slot(hash_of_id); slot != 0) __builtin_prefetch(&bytes_[offsets_[static_cast<uint32_t>(slot) - 1]]);
  }
  int32_t find(std::string_view id) const;  // the id's index, or kNone
  std::string_view id(int32_t index) const {
    return {bytes_.data() + offsets_[static_cast<size_t>(index)],
            static_cast<size_t>(offsets_[static_cast<size_t>(index) + 1] - offsets_[static_cast<size_t>(index)])};
  }
  int32_t size() const { return static_cast<int32_t>(offsets_.size() - 1); }
  int64_t memory_bytes() const;  // what the map holds now

  IdTable freeze() &&;  // gives the arrays to a table; the map is empty afterwards

 private:
  void grow();
  uint64_t first_slot(uint64_t hash_of_id) const { return slots_.empty() ? 0 : slots_[hash_of_id & (slots_.size() - 1)]; }

  std::vector<char> bytes_;
  std::vector<uint64_t> offsets_;
  std::vector<uint64_t> slots_;
};

}  // namespace bouquet
