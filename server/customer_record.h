// Everything that a server knows of one customer, piece by piece.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/profiles.pb.h"
#include "server/answer_name.h"
#include "server/event_store/event_store.h"

namespace bouquet::server {

// Where it stands. Borrowed.
struct KnownOfCustomers {
  const EventStore* store = nullptr;   // may be none
  const AnswerNames* names = nullptr;  // of answers of which the store keeps something; may be none
};

// Not thread-safe.
class CustomerRecord {
 public:
  // Reads what `known` has of the customer, under all ids of the person; `profile` is what the model makes of them. Errors: those of
  // reading.
  absl::Status read(const KnownOfCustomers& known, const std::string& customer_id, v1::Profile profile);

  // The next piece, in the order of ExportCustomerResponse. False: that was all.
  bool next(v1::ExportCustomerResponse& piece);

 private:
  struct Recorded {
    StoredEvent event;
    std::string customer_id;
  };
  absl::Status read_id(const std::string& id);
  absl::Status read_merges(const std::vector<std::string>& person);
  absl::Status read_answers(const std::string& id);
  void write_event(const Recorded& recorded, v1::ExportedEvent* out) const;

  const EventStore* store_ = nullptr;
  const AnswerNames* names_ = nullptr;
  std::vector<v1::ExportedMerge> merges_;
  std::vector<Recorded> events_;
  std::vector<v1::ExportedAttribute> attributes_;
  std::vector<v1::ExportedAnswer> answers_;
  std::optional<v1::Profile> profile_;
  std::optional<Erasure> erasure_;
  size_t at_ = 0;
};

}  // namespace bouquet::server
