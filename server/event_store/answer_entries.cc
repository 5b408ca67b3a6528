#include "server/event_store/answer_entries.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <memory>

#include "engine/errors.h"
#include "server/event_store/event_keys.h"

namespace bouquet::server {
namespace {

constexpr size_t kTimeBytes = 8;

std::string answer_key(std::string_view hash, uint64_t number) {
  std::string key(hash);
  append_fixed64(number, key);
  return key;
}

absl::Status gone() { return missing_input("the store: keeps nothing of this answer"); }

// Every entry of the customer, as it stands in the store.
absl::Status each_of(const StoreDatabase& database, std::string_view hash,
                     const std::function<absl::Status(std::string_view key, std::string_view value)>& take) {
  if (hash.empty() || database.family(Family::kAnswers) == nullptr) return absl::OkStatus();
  const rocksdb::Slice prefix(hash.data(), hash.size());
  const std::unique_ptr<rocksdb::Iterator> at(database.rocks().NewIterator({}, database.family(Family::kAnswers)));
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next())
    if (absl::Status s = take(at->key().ToStringView(), at->value().ToStringView()); !s.ok()) return s;
  return of_rocks(at->status());
}

}  // namespace

void put_answer(const StoreDatabase& database, std::string_view hash, const NewAnswer& answer, rocksdb::WriteBatch& batch) {
  std::string value;
  append_fixed64(static_cast<uint64_t>(answer.keep_until), value);
  value += answer.logged;
  batch.Put(database.family(Family::kAnswers), answer_key(hash, answer.number), value);
}

absl::StatusOr<LoggedAnswer> read_answer(const StoreDatabase& database, std::string_view hash, uint64_t number, absl::Time now) {
  if (hash.empty() || database.family(Family::kAnswers) == nullptr) return gone();
  const std::string key = answer_key(hash, number);
  std::string value;
  const rocksdb::Status found = database.rocks().Get({}, database.family(Family::kAnswers), key, &value);
  if (found.IsNotFound()) return gone();
  if (!found.ok()) return of_rocks(found);
  AnswerEntry entry;
  if (!parse_answer(key, value, entry)) return bad_input("the store: what came with a request is damaged");
  return is_answer_over(value, now) ? absl::StatusOr<LoggedAnswer>(gone()) : std::move(entry.logged);
}

absl::Status scan_answers(const StoreDatabase& database, std::string_view hash, absl::Time now,
                          const std::function<void(const AnswerEntry&)>& take) {
  AnswerEntry entry;
  return each_of(database, hash, [&](std::string_view key, std::string_view value) {
    if (!parse_answer(key, value, entry)) return bad_input("the store: what came with a request is damaged");
    if (!is_answer_over(value, now)) take(entry);
    return absl::OkStatus();
  });
}

absl::StatusOr<int64_t> remove_answers(const StoreDatabase& database, std::string_view hash, rocksdb::WriteBatch& batch) {
  int64_t count = 0;
  const absl::Status read = each_of(database, hash, [&](std::string_view key, std::string_view) {
    batch.Delete(database.family(Family::kAnswers), {key.data(), key.size()});
    ++count;
    return absl::OkStatus();
  });
  return read.ok() ? absl::StatusOr<int64_t>(count) : read;
}

bool is_answer_over(std::string_view value, absl::Time now) {
  return value.size() >= kTimeBytes && static_cast<int64_t>(fixed64_at(value.data())) <= absl::ToUnixMicros(now);
}

bool parse_answer(std::string_view key, std::string_view value, AnswerEntry& entry) {
  if (key.size() != kAnswerKeyBytes || value.size() < kTimeBytes) return false;
  entry.number = fixed64_at(key.data() + key.size() - sizeof entry.number);
  entry.keep_until = static_cast<int64_t>(fixed64_at(value.data()));
  return entry.logged.ParseFromArray(value.data() + kTimeBytes, static_cast<int>(value.size() - kTimeBytes));
}

}  // namespace bouquet::server
