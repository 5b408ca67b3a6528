// Item ids or event types and their numbers: few beside events, never forgotten, all of them in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/id_map.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

// The first byte of a key of Family::kNames; eight bytes of number follow, and the value is the name.
enum class NameKind : char { kItem = 'i', kEventType = 't' };

// Thread-safe; one thread at a time adds.
class NameTable {
 public:
  explicit NameTable(NameKind kind) : kind_(kind) {}

  // Errors: DataLoss.
  absl::Status load(const StoreDatabase& database);

  int32_t size() const;
  int32_t find(std::string_view name) const;  // kNone: no such name
  std::string name(int32_t number) const;     // 0 <= number < size()
  std::vector<std::string> all() const;       // [size()] by number

  // Names that size(), size() + 1, ... stand for from now on. They are in the store already.
  void add(std::span<const std::string_view> names);
  std::string key(int32_t number) const;

  // While it lives nothing is added, so that names need no copy.
  class Reading {
   public:
    explicit Reading(const NameTable& table) : lock_(table.mutex_), names_(table.names_) {}
    std::string_view name(int32_t number) const { return names_.id(number); }

   private:
    const std::shared_lock<std::shared_mutex> lock_;
    const IdMap& names_;
  };

 private:
  const NameKind kind_;
  mutable std::shared_mutex mutex_;
  IdMap names_;
};

}  // namespace bouquet::server
