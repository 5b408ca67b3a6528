#include "server/local_store.h"

#include <utility>

#include "server/event_store/answer_key.h"

namespace bouquet::server {
namespace {

constexpr int64_t kFreshProfileBytes = int64_t{16} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<LocalStore>> LocalStore::open(const std::string& folder) {
  std::unique_ptr<LocalStore> store(new LocalStore);
  auto database = StoreDatabase::open_snapshot(folder);
  if (!database.ok()) return database.status();
  store->database_ = *std::move(database);
  auto events = EventStore::open(*store->database_);
  if (!events.ok()) return events.status();
  store->events_ = *std::move(events);
  store->inputs_ = std::make_unique<StoredInputs>(*store->events_);
  const auto key = read_answer_key(*store->database_);
  if (key.ok())
    store->names_ = std::make_unique<AnswerNames>(*key);
  else if (!absl::IsNotFound(key.status()))
    return key.status();
  return store;
}

absl::StatusOr<AnswerSettings> LocalStore::settings(const ServedModel& served) {
  customers_ =
      std::make_unique<LiveCustomers>(*events_, known_part(served.artifact(), database_->identity()), served.artifact().customer_ids);
  if (absl::Status s = customers_->scan(); !s.ok()) return s;
  profiles_ = std::make_unique<FreshProfiles>(kFreshProfileBytes);
  AnswerSettings settings;
  settings.live = {customers_.get(), profiles_.get()};
  settings.names = names_.get();
  settings.inputs = inputs_.get();
  return settings;
}

}  // namespace bouquet::server
