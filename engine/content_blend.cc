#include "engine/content_blend.h"

#include <algorithm>
#include <cmath>

#include "engine/score.h"

namespace bouquet {

ContentBlend::ContentBlend(const Model& model, const ContentLinks& links) : model_(model), links_(links) {
  if (links.empty()) return;
  linked_count_ = links.linked_count(model.item_count());
  likeness_.assign(static_cast<size_t>(model.item_count()), 0);
}

void ContentBlend::gather(std::span<const int32_t> history) {
  for (const int32_t item : touched_) likeness_[static_cast<size_t>(item)] = 0;
  touched_.clear();
  for (const int32_t taken : history)
    for (int64_t e = links_.offsets[taken]; e < links_.offsets[taken + 1]; ++e) {
      double& sum = likeness_[static_cast<size_t>(links_.items[e])];
      if (sum == 0) touched_.push_back(links_.items[e]);
      sum += double{links_.likeness[e]};
    }
}

// sqrt(pᵀ S p): the deviation of q·p over the linked items, times the weight.
double ContentBlend::deviation_of_profile(std::span<const float> profile) const {
  double square = 0;
  for (size_t r = 0; r < profile.size(); ++r)
    square += double{profile[r]} * double{score(profile.data(), &links_.spread.data()[r * profile.size()], model_.dimension)};
  return std::sqrt(std::max(square, 0.0));
}

double ContentBlend::deviation_of_likeness() const {
  double sum = 0, squares = 0;
  for (const int32_t item : touched_) {
    const double c = likeness_[static_cast<size_t>(item)];
    sum += c;
    squares += c * c;
  }
  const double count = linked_count_, mean = sum / count;
  return std::sqrt(std::max(squares / count - mean * mean, 0.0));
}

void ContentBlend::blend(std::span<const float> profile, std::span<const int32_t> history, std::span<const int32_t> rows,
                         std::span<const float> scores, int32_t k, const std::function<bool(ItemIndex)>& allowed) {
  factor_ = 0;
  if (!links_.empty()) {
    gather(history);
    const double likeness = touched_.empty() ? 0 : deviation_of_likeness();
    if (likeness > 0) factor_ = deviation_of_profile(profile) / likeness;
  }
  rows_.clear();
  scores_.clear();
  if (factor_ == 0) {  // they are in order
    for (size_t i = 0; i < rows.size() && rows[i] != kNone && i < static_cast<size_t>(k); ++i) {
      rows_.push_back(rows[i]);
      scores_.push_back(scores[i]);
    }
    return;
  }
  merged_.clear();
  for (size_t i = 0; i < rows.size() && rows[i] != kNone; ++i)
    if (likeness_[static_cast<size_t>(rows[i])] == 0) merged_.emplace_back(scores[i], rows[i]);
  for (const int32_t item : touched_)
    if (allowed(item)) merged_.emplace_back(score_of(profile, item), item);
  const auto kept = std::min(merged_.size(), static_cast<size_t>(k));
  std::partial_sort(merged_.begin(), merged_.begin() + static_cast<std::ptrdiff_t>(kept), merged_.end(),
                    [](const auto& a, const auto& b) { return ranks_before(a.first, a.second, b.first, b.second); });
  for (size_t i = 0; i < kept; ++i) {
    rows_.push_back(merged_[i].second);
    scores_.push_back(merged_[i].first);
  }
}

float ContentBlend::score_of(std::span<const float> profile, ItemIndex item) const {
  const float own = score(profile.data(), model_.item_matrix().row(item).data(), model_.dimension);
  if (factor_ == 0) return own;
  return static_cast<float>(double{own} + factor_ * likeness_[static_cast<size_t>(item)]);
}

std::vector<double> ContentBlend::contributions(std::span<const int32_t> history, ItemIndex item) const {
  if (factor_ == 0 || likeness_[static_cast<size_t>(item)] == 0) return {};
  std::vector<double> out;
  for (const int32_t taken : history) {
    const auto row = links_.items.view().subspan(static_cast<size_t>(links_.offsets[taken]),
                                                 static_cast<size_t>(links_.offsets[taken + 1] - links_.offsets[taken]));
    const auto at = std::lower_bound(row.begin(), row.end(), item);
    const bool leads = at != row.end() && *at == item;
    out.push_back(leads ? factor_ * double{links_.likeness[links_.offsets[taken] + (at - row.begin())]} : 0);
  }
  return out;
}

}  // namespace bouquet
