#include "cuda/history_staging.h"

#include <algorithm>
#include <numeric>
#include <span>

namespace bouquet::cuda {
namespace {

constexpr int64_t kUsualPairs = 256;  // of a history: a batch of these goes in one piece

int64_t max_pairs(int64_t item_count, int32_t max_rows) { return std::max(item_count, max_rows * kUsualPairs); }

}  // namespace

HistoryStaging::HistoryStaging(int64_t item_count, int32_t max_rows, const Stream& stream)
    : offsets_(max_rows + 1, stream),
      columns_(max_pairs(item_count, max_rows), stream),
      rows_(max_rows, stream),
      order_(max_rows, stream),
      confidences_(columns_.size(), stream),
      targets_(columns_.size(), stream),
      ridges_(max_rows, stream),
      host_offsets_(offsets_.size()),
      host_columns_(columns_.size()),
      host_rows_(rows_.size()),
      host_confidences_(columns_.size()),
      host_targets_(columns_.size()),
      host_ridges_(ridges_.size()) {
  plan_.reserve(max_rows);
  std::iota(host_rows_.span().begin(), host_rows_.span().end(), 0);
  order_.upload(std::as_const(host_rows_).span());
  stream.synchronize();
}

void HistoryStaging::count_memory(int64_t item_count, int32_t max_rows, MemoryTable& table) {
  table.add("histories", int64_t{max_rows + 1} * int64_t{sizeof(int64_t)} +
                             int64_t{max_rows} * int64_t{2 * sizeof(int32_t) + sizeof(double)} +
                             max_pairs(item_count, max_rows) * int64_t{sizeof(int32_t) + 2 * sizeof(float)});
}

int32_t HistoryStaging::fitting(const HistoryBatch& histories, int32_t first) const {
  const auto n = static_cast<int32_t>(histories.offsets.size()) - 1;
  const int64_t begin = histories.offsets[static_cast<size_t>(first)];
  int32_t count = 0;
  while (first + count < n && histories.offsets[static_cast<size_t>(first + count) + 1] - begin <= columns_.size()) ++count;
  return count;
}

void HistoryStaging::upload(const HistoryBatch& histories, int32_t first, int32_t count, const RidgeRule& rule, int32_t d) {
  const std::span<const int64_t> offsets = histories.offsets.subspan(static_cast<size_t>(first), static_cast<size_t>(count) + 1);
  const auto begin = static_cast<size_t>(offsets.front()), pairs = static_cast<size_t>(offsets.back() - offsets.front());
  has_targets_ = !histories.targets.empty();
  for (int32_t r = 0; r <= count; ++r) host_offsets_[r] = offsets[static_cast<size_t>(r)] - offsets.front();
  const auto own_offsets = std::as_const(host_offsets_).span().first(static_cast<size_t>(count) + 1);
  for (int32_t r = 0; r < count; ++r) host_ridges_[r] = rule.solved_ridge(host_offsets_[r + 1] - host_offsets_[r]);
  plan_half_step(own_offsets, d, 0, plan_);
  offsets_.upload(own_offsets);
  ridges_.upload(std::as_const(host_ridges_).span().first(static_cast<size_t>(count)));
  send<int32_t>(plan_.rows, host_rows_, rows_);
  send(histories.items.subspan(begin, pairs), host_columns_, columns_);
  send(histories.confidences.subspan(begin, pairs), host_confidences_, confidences_);
  if (has_targets_) send(histories.targets.subspan(begin, pairs), host_targets_, targets_);
}

DevicePairs HistoryStaging::pairs() const {
  return {offsets_.data(), columns_.data(), confidences_.data(), has_targets_ ? targets_.data() : nullptr, ridges_.data()};
}

}  // namespace bouquet::cuda
