// What came with requests and their recommendation_id does not hold: the seam between answers, which can be made again with it, and where
// it is kept ([answers] log).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/answer_name.h"
#include "server/wire_attributes.h"

namespace bouquet::server {

// Thread-safe.
class AnswerInputs {
 public:
  virtual ~AnswerInputs() = default;
  // Of the named answer for this customer, empty for a visitor: the fields of the request that were kept. Errors: NotFound (they are gone),
  // those of reading.
  virtual absl::StatusOr<v1::RecommendRequest> read(const AnswerName& name, const std::string& customer_id) const = 0;
};

// Thread-safe.
class AnswerInputsLog {
 public:
  virtual ~AnswerInputsLog() = default;
  // Keeps `inputs` for as long as they are to be kept and says in `name`, which has everything else, where; where there is no room for
  // them, `name` stays as it is. Does not wait for the disk. `customer_id` is empty for a visitor.
  virtual void keep(const std::string& customer_id, std::string inputs, AnswerName& name) = 0;
};

// A RecommendRequest of what a name does not hold, as bytes: visitor, listed items, filter and attributes. `wire`: the attributes that are
// not in the message; nullptr: none. Empty: there was nothing like that. Not of a group or a gift, whose answers cannot be made again.
std::string inputs_of(const v1::RecommendRequest& request, const WireAttributes* wire);

// Puts what was kept where `request` leaves it out. `own_attributes`: some came with it.
void complete(const v1::RecommendRequest& kept, bool own_attributes, v1::RecommendRequest& request);

}  // namespace bouquet::server
