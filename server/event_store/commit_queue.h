// Appends that wait for the writer: bounded, in order of arrival, taken in groups.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/event_store/answer_entries.h"
#include "server/event_store/event_id_entry.h"
#include "server/event_store/stored_event.h"

namespace bouquet::server {

// What a caller says of one customer: the last word on each attribute named; nothing set makes it missing.
struct NewAttributes {
  std::string_view customer_id;
  std::string_view request_id;  // empty: none; as event_id, of its own kind
  const google::protobuf::Map<std::string, v1::AttributeValue>* values = nullptr;
};

// Everything of a customer is to go.
struct NewErasure {
  std::string_view customer_id;
  std::string_view request_id;  // as that of attributes
};

// Two ids turn out to be one person.
struct NewMerge {
  std::string_view from_customer_id, into_customer_id;
  std::string_view request_id;  // as that of attributes
};

// They are not.
struct NewUnmerge {
  std::string_view from_customer_id;
  std::string_view request_id;  // as that of attributes
};

// One call's worth, from arrival to answer: events, a change of attributes, an erasure, a merge, or what takes one back. Or what came with
// requests, whose rows are not numbered.
struct Append {
  using Done = std::function<void(std::span<const Outcome>)>;
  // Why nobody waits for the outcome any more; Ok: somebody does.
  using Unwanted = std::function<absl::Status()>;

  std::span<const NewEvent> events;
  std::optional<NewAttributes> attributes = std::nullopt;
  std::optional<NewErasure> erasure = std::nullopt;
  std::optional<NewMerge> merge = std::nullopt;
  std::optional<NewUnmerge> unmerge = std::nullopt;
  std::span<const NewAnswer> answers = {};
  std::vector<EventIdHash> hashes;  // one each, meaningless where there is no id
  std::vector<uint64_t> contents;   // likewise
  std::vector<Outcome> outcomes;    // one each
  int64_t arrived = 0;              // microseconds since 1970: the time of events that have none
  int64_t bytes = 0;
  Done done;
  Unwanted unwanted;  // empty: it is wanted for ever
};

struct CommitQueueOptions {
  int64_t max_rows = 100'000;  // waiting; what is being written does not count
  int64_t max_bytes = int64_t{64} << 20;
  int64_t max_group_rows = 20'000;  // written with one sync
  int64_t max_group_bytes = int64_t{16} << 20;
};

// Thread-safe.
class CommitQueue {
 public:
  explicit CommitQueue(const CommitQueueOptions& options) : options_(options) {}

  // Errors: ResourceExhausted (full), Unavailable (closed); `append` is dropped then and its `done` never called.
  absl::Status push(std::unique_ptr<Append> append);

  // Waits for the first; then everything that is there, in order, up to the bounds of a group, but one at least. A group is of erasures
  // alone or has none, and a merge or what takes one back is a group by itself. Empty: closed and empty.
  std::vector<std::unique_ptr<Append>> take();

  void close();

 private:
  const CommitQueueOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Append>> waiting_;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace bouquet::server
