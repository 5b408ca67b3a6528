// Between the calls that bring events and the store: checks row by row, hands on what is right, and puts the answers together.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/profiles.pb.h"
#include "server/event_store/event_store.h"
#include "server/metrics.h"
#include "server/served_model.h"

namespace bouquet::server {

// The events of one message, from its arrival to the answer.
struct EventBatch {
  using Events = google::protobuf::RepeatedPtrField<v1::CustomerEvent>;
  using Results = google::protobuf::RepeatedPtrField<v1::EventResult>;

  const Events* said = nullptr;
  Results* results = nullptr;  // empty; filled with one for each unless `done` is told an error
  int32_t failed = 0;
  // The intake's own.
  std::vector<NewEvent> events;
  std::vector<int> rows;  // [events.size()], in `said`
};

// Thread-safe.
class EventIntake {
 public:
  using Done = std::function<void(const absl::Status&)>;
  using Unwanted = Append::Unwanted;

  // The models that serve now, those of placements too.
  using ServingNow = std::function<std::vector<std::shared_ptr<const ServedModel>>()>;

  // All of it outlives the intake. `store`: none: everything is FailedPrecondition. `metrics` may be nullptr.
  EventIntake(EventStore* store, ServingNow models, Metrics* metrics) : store_(store), models_(std::move(models)), metrics_(metrics) {}

  const EventStore* store() const { return store_; }
  // Ok, or what every call would be told.
  absl::Status ready() const;

  // Calls `done` once, from this thread or the store's, whatever becomes of the batch; it and what it points to live until then. The number
  // of events has been checked. `unwanted` as in EventStore. Errors: ready()'s, ResourceExhausted, Unavailable, DataLoss, Internal and what
  // `unwanted` says: nothing of it was kept by this call.
  void record(EventBatch& batch, bool validate_only, Done done, Unwanted unwanted = {});
  // Likewise of a valid request.
  void set_attributes(const v1::SetAttributesRequest& request, v1::SetAttributesResponse* response, Done done, Unwanted unwanted = {});
  void erase(const v1::EraseCustomerRequest& request, v1::EraseCustomerResponse* response, Done done, Unwanted unwanted = {});
  // Also FailedPrecondition as in MergeTable, with validate_only too.
  void merge(const v1::MergeCustomersRequest& request, v1::MergeCustomersResponse* response, Done done, Unwanted unwanted = {});
  void unmerge(const v1::UnmergeCustomersRequest& request, v1::UnmergeCustomersResponse* response, Done done, Unwanted unwanted = {});

 private:
  absl::Status answer(EventBatch& batch, std::span<const Outcome> outcomes) const;

  EventStore* const store_;
  const ServingNow models_;
  Metrics* const metrics_;
};

}  // namespace bouquet::server
