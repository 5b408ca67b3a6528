#include "engine/fold_in_checks.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status wrong_history(int64_t r, const std::string& what) { return wrong_usage("history " + std::to_string(r) + ": " + what); }

absl::Status check_pairs(const HistoryBatch& histories, int64_t r, int64_t item_count) {
  const auto begin = static_cast<size_t>(histories.offsets[static_cast<size_t>(r)]);
  const auto end = static_cast<size_t>(histories.offsets[static_cast<size_t>(r) + 1]);
  for (size_t k = begin; k < end; ++k) {
    const int32_t item = histories.items[k];
    if (item < 0 || item >= item_count)
      return wrong_history(r, "item " + std::to_string(item) + " is not in [0, " + std::to_string(item_count) + ")");
    if (k > begin && item <= histories.items[k - 1]) return wrong_history(r, "its items do not ascend at item " + std::to_string(item));
    const float confidence = histories.confidences[k];
    if (!(confidence > 0) || !std::isfinite(confidence))
      return wrong_history(
          r, "the confidence of item " + std::to_string(item) + " is " + std::to_string(confidence) + ", not positive and finite");
    if (!histories.targets.empty() && !std::isfinite(histories.targets[k]))
      return wrong_history(r, "the target of item " + std::to_string(item) + " is not finite");
  }
  return absl::OkStatus();
}

absl::Status check_shapes(const HistoryBatch& histories, const ProfileBatch& solved, const ProfilerShape& shape) {
  const int64_t d = shape.dimension;
  const int64_t max_batch = shape.limits.max_batch;
  if (histories.offsets.empty()) return wrong_usage("a batch of n histories has n + 1 offsets; there are none");
  const auto n = static_cast<int64_t>(histories.offsets.size()) - 1;
  if (n > max_batch) return wrong_usage(std::to_string(n) + " histories are more than the limit of " + std::to_string(max_batch));
  if (histories.offsets[0] != 0 || !std::ranges::is_sorted(histories.offsets)) return wrong_usage("the offsets do not ascend from 0");
  const auto pairs = static_cast<size_t>(histories.offsets.back());
  if (histories.items.size() != pairs || histories.confidences.size() != pairs ||
      (!histories.targets.empty() && histories.targets.size() != pairs))
    return wrong_usage("items, confidences and targets do not have as many entries as the last offset says");
  if (solved.profiles.rows != n || solved.profiles.cols != d)
    return wrong_usage("the profiles to fill are " + std::to_string(solved.profiles.rows) + " x " + std::to_string(solved.profiles.cols) +
                       ", not " + std::to_string(n) + " x " + std::to_string(d));
  if (solved.profiles.is_nowhere()) return wrong_usage("the profiles to fill are a null pointer");
  if (!solved.cholesky.empty() && static_cast<int64_t>(solved.cholesky.size()) != n * d * d)
    return wrong_usage("the space for Cholesky factors is not n x d x d");
  return absl::OkStatus();
}

absl::Status check_attributes(const AttributeRows& attributes, int64_t n, const ProfilerShape& shape) {
  const int32_t columns = shape.attribute_columns;
  if (attributes.column_count != columns || attributes.dense_count != shape.dense_columns)
    return wrong_usage("the histories have attributes of " + std::to_string(attributes.column_count) + " columns, " +
                       std::to_string(attributes.dense_count) + " of them dense; the model takes " + std::to_string(columns) + " and " +
                       std::to_string(shape.dense_columns));
  return columns == 0 ? absl::OkStatus() : validate(attributes, n);
}

}  // namespace

absl::Status validate(const ProfilerLimits& limits) {
  if (limits.max_batch < 1) return wrong_usage("max_batch is " + std::to_string(limits.max_batch) + "; it must be at least 1");
  return absl::OkStatus();
}

absl::Status validate(const HistoryBatch& histories, const ProfileBatch& solved, const ProfilerShape& shape) {
  if (absl::Status s = check_shapes(histories, solved, shape); !s.ok()) return s;
  const auto n = static_cast<int64_t>(histories.offsets.size()) - 1;
  for (int64_t r = 0; r < n; ++r)
    if (absl::Status s = check_pairs(histories, r, shape.item_count); !s.ok()) return s;
  return check_attributes(histories.attributes, n, shape);
}

}  // namespace bouquet
