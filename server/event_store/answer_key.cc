#include "server/event_store/answer_key.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "engine/errors.h"

namespace bouquet::server {
namespace {

constexpr char kAnswerKey[] = "answer_key";  // in kCatalog

}  // namespace

absl::StatusOr<std::string> read_answer_key(const StoreDatabase& database) {
  std::string key;
  const rocksdb::Status found = database.rocks().Get({}, kAnswerKey, &key);
  if (found.IsNotFound()) return missing_input("the store has no key of answers yet: no server has answered from it");
  if (!found.ok()) return of_rocks(found);
  return key;
}

absl::StatusOr<std::string> answer_key(StoreDatabase& database) {
  auto there = read_answer_key(database);
  if (!absl::IsNotFound(there.status())) return there;
  std::string key = random_text() + random_text();
  rocksdb::WriteBatch batch;
  batch.Put(kAnswerKey, key);
  if (absl::Status s = database.write(batch); !s.ok()) return s;
  return key;
}

}  // namespace bouquet::server
