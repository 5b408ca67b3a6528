#include "engine/name_index.h"

#include <cstring>

#include "engine/id_map.h"

namespace bouquet {
namespace {

uint64_t load(const char* from, size_t size) {
  uint64_t out = 0;
  std::memcpy(&out, from, size);
  return out;
}

// Odd, half of its bits set; the high half of a product with it depends on every bit below.
constexpr uint64_t kFactor = 0x9E3779B97F4A7C15;

uint64_t mixed(uint64_t x) { return (x ^ x >> 32) * kFactor; }

// Inline for short names, of which most are.
bool equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() < 8 || a.size() > 32) return a == b;
  for (size_t at = 0; at + 8 < a.size(); at += 8)
    if (load(a.data() + at, 8) != load(b.data() + at, 8)) return false;
  const size_t last = a.size() - 8;
  return load(a.data() + last, 8) == load(b.data() + last, 8);
}

// The last eight bytes are read together, over those before them where there are more.
uint32_t hash_of(std::string_view name) {
  uint64_t hash = name.size() * kFactor;
  const char* at = name.data();
  size_t left = name.size();
  for (; left > 8; left -= 8, at += 8) hash = mixed(hash ^ load(at, 8));
  hash = mixed(hash ^ (name.size() >= 8 ? load(at + left - 8, 8) : load(at, left)));
  return static_cast<uint32_t>(mixed(hash) >> 32);
}

}  // namespace

bool NameIndex::add(std::string_view name) {
  if (find(name) != kNone) return false;
  const auto position = static_cast<int32_t>(ends_.size()) - 1;
  bytes_ += name;
  ends_.push_back(static_cast<uint32_t>(bytes_.size()));
  if (2 * ends_.size() > slots_.size())
    grow();
  else
    place(hash_of(name), position);
  return true;
}

void NameIndex::grow() {
  slots_.assign(slots_.empty() ? 16 : 2 * slots_.size(), Slot{});
  for (int32_t p = 0; p < static_cast<int32_t>(ends_.size()) - 1; ++p) place(hash_of(name(p)), p);
}

void NameIndex::place(uint32_t hash, int32_t position) {
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].position >= 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = {hash, position};
}

int32_t NameIndex::find(std::string_view name) const {
  if (slots_.empty()) return kNone;
  const uint32_t hash = hash_of(name);
  for (size_t at = hash & (slots_.size() - 1); slots_[at].position >= 0; at = (at + 1) & (slots_.size() - 1))
    if (slots_[at].hash == hash && equal(this->name(slots_[at].position), name)) return slots_[at].position;
  return kNone;
}

}  // namespace bouquet
