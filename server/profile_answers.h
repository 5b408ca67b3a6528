// The GetProfile requests of one batch: add() them, let the profiles be solved, hand_over(), let the ranking run, finish().
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/profiles.pb.h"
#include "server/asker.h"
#include "server/fold_in_batch.h"
#include "server/nearest_customers.h"
#include "server/placements.h"
#include "server/served_model.h"

namespace bouquet::server {

// One worker's; its memory is reused from batch to batch. Not thread-safe.
class ProfileAnswers {
 public:
  // All of it outlives this. `fold_in` may be nullptr when the model has no items.
  ProfileAnswers(const ServedModel& served, const Placements& placements, AskerReader& askers, FoldInBatch* fold_in,
                 NearestCustomers& nearest)
      : served_(served), placements_(placements), askers_(askers), fold_in_(fold_in), nearest_(nearest) {}

  void clear() { size_ = 0; }
  // Takes a valid request (request_limits.h), which outlives finish() as the other two do. `status` tells later how it went.
  void add(const v1::GetProfileRequest& request, const WireAttributes* wire, v1::Profile* response, absl::Status* status);
  void hand_over();
  void finish(const absl::Status& ranked);

 private:
  struct Plan {
    const v1::GetProfileRequest* request = nullptr;
    v1::Profile* response = nullptr;
    absl::Status* status = nullptr;
    Asker asker;
    int32_t question = kNone;  // of nearest_; kNone: no neighbours are wanted or known
  };

  void write(Plan& plan);
  void write_history(const Plan& plan) const;
  // Of the customer whose matrix is in cholesky_.
  absl::Status write_confidence(const Plan& plan);
  void write_interests(const Plan& plan, const SolvedCustomer& customer);

  const ServedModel& served_;
  const Placements& placements_;
  AskerReader& askers_;
  FoldInBatch* fold_in_;
  NearestCustomers& nearest_;
  std::vector<Plan> plans_;
  size_t size_ = 0;
  std::vector<float> cholesky_;
  std::vector<float> empty_cholesky_;  // of an empty history's matrix, once it was asked for
};

}  // namespace bouquet::server
