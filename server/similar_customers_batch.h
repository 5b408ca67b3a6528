// The SimilarCustomers requests of one batch: add() them, let the profiles be solved, hand_over(), let the ranking run, finish().
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/audiences.pb.h"
#include "server/asker.h"
#include "server/nearest_customers.h"
#include "server/served_model.h"

namespace bouquet::server {

// One worker's; its memory is reused from batch to batch. Not thread-safe.
class SimilarCustomersBatch {
 public:
  // All of it outlives the batch.
  SimilarCustomersBatch(const ServedModel& served, AskerReader& askers, NearestCustomers& nearest)
      : served_(served), askers_(askers), nearest_(nearest) {}

  void clear() { size_ = 0; }
  // Takes a valid request (request_limits.h). `status` tells later how it went. All three outlive finish().
  void add(const v1::SimilarCustomersRequest& request, const WireAttributes* wire, v1::SimilarCustomersResponse* response,
           absl::Status* status);
  void hand_over();
  void finish(const absl::Status& ranked);

 private:
  struct Plan {
    v1::SimilarCustomersResponse* response = nullptr;
    absl::Status* status = nullptr;
    int32_t k = 0;
    Asker asker;
    std::vector<CustomerIndex> excluded;  // ascending
    int32_t question = kNone;             // of nearest_; kNone: nothing is known of the asker
  };

  const ServedModel& served_;
  AskerReader& askers_;
  NearestCustomers& nearest_;
  std::vector<Plan> plans_;
  size_t size_ = 0;
};

}  // namespace bouquet::server
