// The questions of one batch for customers with profiles that point the same way, ranked in one call of the seam.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "bouquet/v1/audiences.pb.h"
#include "server/live_source.h"
#include "server/ranking_batch.h"
#include "server/served_model.h"

namespace bouquet::server {

// One worker's. Not thread-safe.
class NearestCustomers {
 public:
  // All of it outlives this. `live`: whose rows are not to be found; nullptr: all are.
  NearestCustomers(const ServedModel& served, int32_t max_batch, const LiveSource* live)
      : served_(served), max_batch_(max_batch), live_(live) {}

  void clear();
  // The `k` customers nearest to `profile` (not zero) by cosine, without `excluded` (ascending). Returns the question's position. Errors:
  // those of ServedModel::customer_similarity and of make_ranker, in the first question that any worker or this one gets. At most
  // max_batch.
  absl::StatusOr<int32_t> add(std::span<const float> profile, std::span<const CustomerIndex> excluded, int32_t k);
  // Errors: those of Ranker::rank.
  absl::Status rank();
  // After rank(): appends a question's answer.
  void write(int32_t question, google::protobuf::RepeatedPtrField<v1::SimilarCustomer>* results) const;

 private:
  const ServedModel& served_;
  const int32_t max_batch_;
  const LiveSource* const live_;
  std::optional<RankingBatch> ranking_;  // made when the first question comes, as the next
  std::vector<uint64_t> known_;          // bitmap of the customers who can be found
  int64_t erased_ = 0;                   // how many erased ones have been taken out
  std::vector<float> unit_;
};

}  // namespace bouquet::server
