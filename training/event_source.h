// Events that do not stand in files: those of a server's store. What training needs of one; cli/ puts the store behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/attribute_value.h"

namespace bouquet::training {

// Ids are checked already, the value is finite and not 0.
struct SourceEvent {
  std::string_view customer, item, type, basket;  // no basket: empty
  int64_t time = 0;                               // microseconds since 1970
  float value = 1;
};

// The last word on one attribute of one customer; missing is a word too.
struct SourceAttribute {
  std::string_view customer, name;
  AttributeValue value;
};

// When a customer was erased last: what arrived before, or happened up to then, is not to be learned from.
struct SourceErasure {
  uint64_t sequence = 0;
  int64_t time = 0;  // microseconds since 1970
};

// Everything is as it was when the source was opened.
class EventSource {
 public:
  virtual ~EventSource() = default;

  // Customer by customer, oldest first. Ends with the first error of `take`, and returns it. Errors of its own: DataLoss,
  // ResourceExhausted.
  virtual absl::Status read(const std::function<absl::Status(const SourceEvent&)>& take) = 0;

  // Likewise what was said of customers, of each by name; an attribute comes once.
  virtual absl::Status read_attributes(const std::function<absl::Status(const SourceAttribute&)>& take) = 0;

  // Which store it is, and the sequence number of the newest arrival: what a model that is trained on it knows.
  virtual std::string identity() const = 0;
  virtual uint64_t newest_sequence() const = 0;

  // Of the ids that are one person with the customer the one that has the first word; the customer, where nobody was merged.
  virtual std::string root_of(std::string_view customer) const = 0;
  // All of these ids, that one in front, then in the order in which they have the word.
  virtual std::vector<std::string> person_of(std::string_view customer) const = 0;
  // The roots, as they were when everything up to the arrival `since` had come, of those persons whom somebody was taken out of later: what
  // was learned of one is of both. Errors: as of read().
  virtual absl::StatusOr<std::vector<std::string>> taken_apart_since(uint64_t since) const = 0;

  // None: nobody of this id was ever erased.
  virtual std::optional<SourceErasure> erasure_of(std::string_view customer) const = 0;
};

// Opens the store in a folder. Errors: NotFound, DataLoss, ResourceExhausted.
using EventSourceFactory = std::function<absl::StatusOr<std::unique_ptr<EventSource>>(const std::string& folder)>;

}  // namespace bouquet::training
