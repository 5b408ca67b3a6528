#include "server/group_askers.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "engine/score.h"

namespace bouquet::server {

absl::Status GroupAskers::read(const std::vector<const std::string*>& ids, const v1::RecommendRequest& request, AskerReader& askers) {
  static const AttributeMap no_attributes;
  ids_ = ids;
  if (members_.size() < ids.size()) members_.resize(ids.size());
  for (size_t m = 0; m < ids.size(); ++m) {
    const Subject subject{.customer_id = ids[m],
                          .visitor = nullptr,
                          .context_item_ids = &request.context_item_ids(),
                          .attributes = {no_attributes, nullptr},
                          .packed = nullptr,
                          .min_version = request.min_profile_version(),
                          .as_of = nullptr};
    if (absl::Status s = askers.read(subject, false, members_[m]); !s.ok()) return s;
  }
  unite_histories();
  return absl::OkStatus();
}

void GroupAskers::unite_histories() {
  std::vector<std::tuple<int32_t, uint8_t, float>> all;
  for (size_t m = 0; m < ids_.size(); ++m) {
    const HistoryView& view = members_[m].view;
    for (size_t i = 0; i < view.items.size(); ++i) all.emplace_back(view.items[i], view.consumed[i], view.repurchase[i]);
  }
  std::sort(all.begin(), all.end());
  items_.clear();
  consumed_.clear();
  repurchase_.clear();
  for (const auto& [item, consumed, repurchase] : all) {
    if (items_.empty() || items_.back() != item) {
      items_.push_back(item);
      consumed_.push_back(0);
      repurchase_.push_back(0);
    }
    consumed_.back() = std::max(consumed_.back(), consumed);
    repurchase_.back() += repurchase;
  }
}

absl::Status GroupAskers::close(const AskerReader& askers, int32_t dimension) {
  profiles_.clear();
  unknown_.clear();
  std::vector<double> sum(static_cast<size_t>(dimension), 0);
  for (size_t m = 0; m < ids_.size(); ++m) {
    if (absl::Status s = askers.status(members_[m]); !s.ok()) return s;
    askers.keep(members_[m]);
    const auto profile = askers.profile(members_[m]);
    if (profile.empty()) {
      unknown_.push_back(ids_[m]);
      continue;
    }
    profiles_.push_back(profile);
    for (size_t j = 0; j < sum.size(); ++j) sum[j] += profile[j];
  }
  mean_.clear();
  for (size_t j = 0; j < sum.size() && !profiles_.empty(); ++j)
    mean_.push_back(static_cast<float>(sum[j] / static_cast<double>(profiles_.size())));
  return absl::OkStatus();
}

float GroupAskers::least_score(const float* item) const {
  float least = std::numeric_limits<float>::infinity();
  for (const auto profile : profiles_) least = std::min(least, score(profile.data(), item, static_cast<int32_t>(profile.size())));
  return least;
}

int32_t GroupAskers::attributes_used() const {
  int32_t sum = 0;
  for (size_t m = 0; m < ids_.size(); ++m) sum += members_[m].attributes_used;
  return sum;
}

int64_t GroupAskers::version() const {
  int64_t newest = 0;
  for (size_t m = 0; m < ids_.size(); ++m) newest = std::max(newest, members_[m].version);
  return newest;
}

}  // namespace bouquet::server
