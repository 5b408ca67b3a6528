// A server's store, read by a command that answers without a server: what was recorded counts in its answers too.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/answer_name.h"
#include "server/event_store/event_store.h"
#include "server/event_store/store_database.h"
#include "server/live_customers.h"
#include "server/recommender.h"
#include "server/stored_inputs.h"

namespace bouquet::server {

// The store as it was when it was opened; a server may go on writing. Outlives the recommenders that use it.
class LocalStore {
 public:
  // Errors: NotFound (no store), DataLoss, ResourceExhausted.
  static absl::StatusOr<std::unique_ptr<LocalStore>> open(const std::string& folder);

  // For answers from `served`, which outlives the result's use, with what is newer than it. Reads the whole store. Errors: those of
  // reading.
  absl::StatusOr<AnswerSettings> settings(const ServedModel& served);
  // nullptr: no server has named an answer yet.
  const AnswerNames* names() const { return names_.get(); }

 private:
  LocalStore() = default;

  std::unique_ptr<StoreDatabase> database_;
  std::unique_ptr<EventStore> events_;
  std::unique_ptr<StoredInputs> inputs_;
  std::unique_ptr<AnswerNames> names_;
  std::unique_ptr<LiveCustomers> customers_;
  std::unique_ptr<FreshProfiles> profiles_;
};

}  // namespace bouquet::server
