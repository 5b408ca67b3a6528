// What customers did and what was said of them that a model does not know yet, and whom it ought to know no longer: the seam between
// answers and the store of events. Everything is of the person whom an id is of: of all ids that were merged.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/views.h"
#include "server/past_moment.h"
#include "server/request_attributes.h"

namespace bouquet::server {

// Thread-safe.
class LiveSource {
 public:
  // Time in microseconds since 1970.
  using TakeEvent = std::function<void(std::string_view item_id, std::string_view type, int64_t time, float value)>;

  virtual ~LiveSource() = default;

  // The sequence number of the newest event, change of attributes, merge or end of one of the customer that the model does not know; 0: it
  // knows all, and has one row of the customer at most.
  virtual int64_t version_of(std::string_view customer_id) const = 0;

  // Everything up to this sequence number is taken into account.
  virtual int64_t newest_version() const = 0;

  // The model's rows of the customer that count, that of whoever has the first word in front.
  virtual void rows_of(std::string_view customer_id, std::vector<CustomerIndex>& rows) const = 0;

  // The events that the model does not know, oldest first in an order that does not depend on how they arrived, and into `known` the rows
  // as of rows_of(), each with the last word on each attribute of which there was one. Errors: DataLoss, ResourceExhausted (the disk
  // fails), Internal.
  virtual absl::Status read(std::string_view customer_id, const TakeEvent& take, std::vector<KnownAttributes>& known) const = 0;

  // Which part of the past read_past() has read.
  struct PastPart {
    int64_t version = 0;   // as version_of() was then
    bool with_row = true;  // what was taken goes on from the rows in `known`; else it is everything that had been known
  };
  // Likewise, of what was known at `moment`. Errors also: FailedPrecondition (what was known then is gone, and what of it).
  virtual absl::StatusOr<PastPart> read_past(std::string_view customer_id, const PastMoment& moment, const TakeEvent& take,
                                             std::vector<KnownAttributes>& known) const = 0;

  // Whether the model's row is of somebody who was erased, or of two who are not one person any more: it is as if it were not there.
  virtual bool is_erased(CustomerIndex row) const = 0;
  // How many rows are; it only grows.
  virtual int64_t erased_count() const = 0;
  // Clears the bits of such rows. `bitmap` has one bit for each row.
  virtual void take_out_erased(std::span<uint64_t> bitmap) const = 0;
};

}  // namespace bouquet::server
