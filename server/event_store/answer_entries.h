// What came with requests, kept so that their answers can be made again, in Family::kAnswers: by the hash of the customer id and the number
// of the answer, so that what is of one customer stands together.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bouquet/store/v1/logged_answer.pb.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {

using LoggedAnswer = store::v1::LoggedAnswer;

inline constexpr size_t kAnswerKeyBytes = 40;

// What is to be kept. Borrowed.
struct NewAnswer {
  std::string_view customer_id;  // empty: of a visitor
  uint64_t number = 0;           // of the answer: no other one of the customer has it
  int64_t time = 0;              // of the answer, microseconds since 1970
  int64_t keep_until = 0;        // likewise
  std::string_view logged;       // a LoggedAnswer
};

struct AnswerEntry {
  uint64_t number = 0;
  int64_t keep_until = 0;  // microseconds since 1970
  LoggedAnswer logged;
};

// In all of these `hash` is ErasureTable's of the customer id, of an empty one for visitors.
void put_answer(const StoreDatabase& database, std::string_view hash, const NewAnswer& answer, rocksdb::WriteBatch& batch);
// Of the answer with this number. Errors: NotFound (there is none, or its time is over), DataLoss, ResourceExhausted.
absl::StatusOr<LoggedAnswer> read_answer(const StoreDatabase& database, std::string_view hash, uint64_t number, absl::Time now);
// All whose time is not over, oldest first. Errors: DataLoss, ResourceExhausted.
absl::Status scan_answers(const StoreDatabase& database, std::string_view hash, absl::Time now,
                          const std::function<void(const AnswerEntry&)>& take);
// Deletes all of them, and returns how many there were, those whose time is over included. Errors: DataLoss, ResourceExhausted.
absl::StatusOr<int64_t> remove_answers(const StoreDatabase& database, std::string_view hash, rocksdb::WriteBatch& batch);

// Whether the time of an entry of Family::kAnswers is over. Of one that is damaged it is not.
bool is_answer_over(std::string_view value, absl::Time now);
// False: the entry is damaged.
bool parse_answer(std::string_view key, std::string_view value, AnswerEntry& entry);

}  // namespace bouquet::server
