#include "engine/id_map.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cassert>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "engine/errors.h"

namespace bouquet {
namespace {

// A slot is 0 when free, otherwise the upper 32 bits of the hash above (index + 1).
uint64_t hash_of(std::string_view id) { return XXH3_64bits(id.data(), id.size()); }
uint64_t tag_of(uint64_t hash) { return hash & 0xffffffff00000000ull; }
int32_t index_of(uint64_t slot) { return static_cast<int32_t>(static_cast<uint32_t>(slot)) - 1; }

// Walks the probe sequence of `id`: the slot that holds it, or the free slot where it belongs.
template <typename IdAt>
size_t probe(std::span<const uint64_t> slots, std::string_view id, uint64_t hash, const IdAt& id_at) {
  const size_t mask = slots.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    if (slots[at] == 0) return at;
    if (tag_of(slots[at]) == tag_of(hash) && id_at(index_of(slots[at])) == id) return at;
  }
}

}  // namespace

int32_t IdTable::find(std::string_view id) const {
  if (slots_.empty()) return kNone;
  const size_t at = probe(slots_.view(), id, hash_of(id), [this](int32_t i) { return this->id(i); });
  return index_of(slots_[static_cast<int64_t>(at)]);
}

absl::StatusOr<IdTable> IdTable::from_parts(SharedArray<char> bytes, SharedArray<uint64_t> offsets, SharedArray<uint64_t> slots) {
  IdTable table;
  if (offsets.size() > std::numeric_limits<int32_t>::max()) return bad_input("id table: more than 2^31 - 2 ids");
  const int64_t count = offsets.empty() ? 0 : offsets.size() - 1;
  if (offsets.empty() || offsets[0] != 0) return bad_input("id table: the offsets do not start at 0");
  for (int64_t i = 0; i < count; ++i) {
    const bool ascends = offsets[i] < offsets[i + 1] && offsets[i + 1] - offsets[i] <= kMaxIdBytes;
    if (!ascends || offsets[i + 1] > static_cast<uint64_t>(bytes.size()))
      return bad_input("id table: the offsets of id " + std::to_string(i) + " are impossible");
  }
  if (offsets[count] != static_cast<uint64_t>(bytes.size())) return bad_input("id table: the offsets do not cover the ids");
  const auto capacity = static_cast<uint64_t>(slots.size());
  if ((capacity & (capacity - 1)) != 0 || (count > 0 && capacity <= static_cast<uint64_t>(count)))
    return bad_input("id table: the slot count is impossible");
  int64_t used = 0;
  for (const uint64_t slot : slots) {
    if (slot == 0) continue;
    ++used;
    if (index_of(slot) < 0 || index_of(slot) >= count) return bad_input("id table: a slot names no id");
  }
  if (used != count) return bad_input("id table: the slots do not hold every id once");
  table.bytes_ = std::move(bytes);
  table.offsets_ = std::move(offsets);
  table.slots_ = std::move(slots);
  for (int32_t i = 0; i < table.size(); ++i)
    if (table.find(table.id(i)) != i) return bad_input("id table: id " + std::to_string(i) + " is not found at its index");
  return table;
}

int32_t IdMap::find(std::string_view id) const {
  if (slots_.empty()) return kNone;
  return index_of(slots_[probe(slots_, id, hash_of(id), [this](int32_t i) { return this->id(i); })]);
}

uint64_t IdMap::hash(std::string_view id) { return hash_of(id); }

int32_t IdMap::add(std::string_view id, uint64_t hash) {
  assert(!id.empty() && id.size() <= kMaxIdBytes);
  assert(size() < std::numeric_limits<int32_t>::max() - 1);
  if ((static_cast<size_t>(size()) + 1) * 3 > slots_.size() * 2) grow();  // at most two thirds full
  const size_t at = probe(slots_, id, hash, [this](int32_t i) { return this->id(i); });
  if (slots_[at] != 0) return index_of(slots_[at]);
  const int32_t index = size();
  slots_[at] = tag_of(hash) | static_cast<uint64_t>(index + 1);
  bytes_.insert(bytes_.end(), id.begin(), id.end());
  offsets_.push_back(bytes_.size());
  return index;
}

void IdMap::grow() {
  const size_t capacity = slots_.empty() ? 16 : slots_.size() * 2;
  slots_.assign(capacity, 0);
  for (int32_t i = 0; i < size(); ++i) {
    const uint64_t hash = hash_of(id(i));
    size_t at = hash & (capacity - 1);
    while (slots_[at] != 0) at = (at + 1) & (capacity - 1);
    slots_[at] = tag_of(hash) | static_cast<uint64_t>(i + 1);
  }
}

int64_t IdMap::memory_bytes() const {
  return static_cast<int64_t>(bytes_.capacity() + (offsets_.capacity() + slots_.capacity()) * sizeof(uint64_t));
}

IdTable IdMap::freeze() && {
  IdTable table;
  bytes_.shrink_to_fit();
  offsets_.shrink_to_fit();
  table.bytes_ = std::exchange(bytes_, {});
  table.offsets_ = std::exchange(offsets_, std::vector<uint64_t>{0});
  table.slots_ = std::exchange(slots_, {});
  return table;
}

}  // namespace bouquet
