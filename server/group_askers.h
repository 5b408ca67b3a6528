// Customers who are asked for together, and what they have in common: a history, a mean profile, the least of their scores.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/answer_mix.h"
#include "server/asker.h"

namespace bouquet::server {

// Kept from batch to batch for the memory of its vectors. Not thread-safe.
class GroupAskers {
 public:
  // Reads each of `ids`, which outlive this, as a customer of `request`. Errors: those of AskerReader::read.
  absl::Status read(const std::vector<const std::string*>& ids, const v1::RecommendRequest& request, AskerReader& askers);

  // What any of them did: ascending by item, consumed where somebody has it, repurchase summed.
  HistoryView history() const { return {items_, consumed_, repurchase_}; }
  // Known items of the request's context, ascending.
  const std::vector<ItemIndex>& context() const { return members_.front().context; }

  // After the profiles were solved. Errors: those of AskerReader::status, of the first that has one. Profiles that may answer again are
  // kept.
  absl::Status close(const AskerReader& askers, int32_t dimension);

  // The rest is for after close().
  std::span<const float> mean() const { return mean_; }  // [d], of those of whom something is known; empty: of nobody
  // The least score of `item`, a vector of [d], for those of whom something is known.
  float least_score(const float* item) const;
  const std::vector<const std::string*>& unknown() const { return unknown_; }
  int32_t attributes_used() const;
  int64_t version() const;  // the newest of any

 private:
  void unite_histories();

  std::vector<const std::string*> ids_;
  std::vector<Asker> members_;  // the first ids_.size() are these
  std::vector<int32_t> items_;
  std::vector<uint8_t> consumed_;
  std::vector<float> repurchase_;
  std::vector<std::span<const float>> profiles_;  // of those of whom something is known
  std::vector<float> mean_;
  std::vector<const std::string*> unknown_;
};

}  // namespace bouquet::server
