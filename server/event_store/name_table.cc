#include "server/event_store/name_table.h"

#include <rocksdb/db.h>

#include "engine/errors.h"
#include "server/event_store/event_keys.h"

namespace bouquet::server {

std::string NameTable::key(int32_t number) const {
  std::string key(1, static_cast<char>(kind_));
  append_fixed64(static_cast<uint64_t>(number), key);
  return key;
}

absl::Status NameTable::load(const StoreDatabase& database) {
  const std::unique_lock lock(mutex_);
  const std::unique_ptr<rocksdb::Iterator> at(database.rocks().NewIterator({}, database.family(Family::kNames)));
  const std::string prefix(1, static_cast<char>(kind_));
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
    const std::string_view name = at->value().ToStringView();
    const int32_t next = names_.size();
    if (at->key().ToStringView() != key(next) || name.empty() || name.size() > kMaxIdBytes || names_.add(name) != next)
      return bad_input("the store: the numbers of item ids or event types are damaged");
  }
  return of_rocks(at->status());
}

int32_t NameTable::size() const {
  const std::shared_lock lock(mutex_);
  return names_.size();
}

int32_t NameTable::find(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  return names_.find(name);
}

std::string NameTable::name(int32_t number) const {
  const std::shared_lock lock(mutex_);
  return std::string(names_.id(number));
}

std::vector<std::string> NameTable::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(names_.size()));
  for (int32_t i = 0; i < names_.size(); ++i) names.emplace_back(names_.id(i));
  return names;
}

void NameTable::add(std::span<const std::string_view> names) {
  const std::unique_lock lock(mutex_);
  for (const std::string_view name : names) names_.add(name);
}

}  // namespace bouquet::server
