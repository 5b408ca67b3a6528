#include "cuda/restriction_staging.h"

#include <algorithm>
#include <span>

namespace bouquet::cuda {

RestrictionStaging::RestrictionStaging(const RankPlan& plan, const Stream& stream)
    : plan_(plan),
      stream_(stream),
      next_(static_cast<size_t>(plan.queries_together)),
      filter_of_(plan.queries_together),
      device_filter_of_(plan.queries_together, stream),
      words_(plan.queries_together * plan.tile_words(), stream),
      exclusions_(plan.exclusions_staged, stream) {
  filters_.reserve(static_cast<size_t>(plan.queries_together));
}

void RestrictionStaging::count_memory(const RankPlan& plan, MemoryTable& table) {
  table.add("filters and exclusions", plan.queries_together * int64_t{sizeof(int32_t)} +
                                          2 * plan.queries_together * plan.tile_words() * int64_t{sizeof(uint64_t)} +
                                          2 * plan.exclusions_staged * int64_t{sizeof(Exclusion)});
}

void RestrictionStaging::begin(const QueryBatch& queries, QueryRange range) {
  queries_ = &queries;
  range_ = range;
  for (int64_t i = 0; i < range.count; ++i)
    next_[static_cast<size_t>(i)] =
        queries.exclusions.offsets.empty() ? 0 : queries.exclusions.offsets[static_cast<size_t>(range.first + i)];
  filter_of_sent_.synchronize();
  number_filters();
  if (filters_.empty()) return;
  device_filter_of_.upload(filter_of_.span().first(static_cast<size_t>(range.count)));
  filter_of_sent_.record(stream_);
}

// Queries that share a filter share its bits on the device.
void RestrictionStaging::number_filters() {
  filters_.clear();
  for (int64_t i = 0; i < range_.count; ++i) {
    const int32_t filter = queries_->filter_of.empty() ? kNone : queries_->filter_of[static_cast<size_t>(range_.first + i)];
    if (filter == kNone) {
      filter_of_[i] = kNone;
      continue;
    }
    const auto found = std::find(filters_.begin(), filters_.end(), filter);
    filter_of_[i] = static_cast<int32_t>(found - filters_.begin());
    if (found == filters_.end()) filters_.push_back(filter);
  }
}

void RestrictionStaging::send_filters(TileRange tile, ScoreTile& to) {
  if (filters_.empty()) return;
  Stage<uint64_t>& stage = words_.next();
  const auto pitch = static_cast<size_t>(plan_.tile_words()), first = static_cast<size_t>(tile.first / 64);
  const auto words = static_cast<size_t>(bitmap_word_count(tile.count));
  for (size_t f = 0; f < filters_.size(); ++f)
    std::ranges::copy(queries_->filters[static_cast<size_t>(filters_[f])].words.subspan(first, words),
                      stage.host.span().subspan(f * pitch).begin());
  stage.device.upload(stage.host.span().first((filters_.size() - 1) * pitch + words));
  stage.sent.record(stream_);
  to.filter_words = stage.device.data();
  to.filter_pitch = plan_.tile_words();
  to.filter_of = device_filter_of_.data();
}

void RestrictionStaging::mark_exclusions(TileRange tile, float* bounds, int64_t pitch) {
  if (queries_->exclusions.offsets.empty()) return;
  const auto& lists = queries_->exclusions;
  Stage<Exclusion>* stage = nullptr;
  int64_t count = 0;
  for (int64_t i = 0; i < range_.count; ++i) {
    const int64_t end = lists.offsets[static_cast<size_t>(range_.first + i) + 1];
    int64_t& next = next_[static_cast<size_t>(i)];
    for (; next < end && lists.indices[static_cast<size_t>(next)] < tile.first + tile.count; ++next) {
      if (stage == nullptr) stage = &exclusions_.next();
      stage->host[count++] = {static_cast<int32_t>(i), static_cast<int32_t>(lists.indices[static_cast<size_t>(next)] - tile.first)};
      if (count == stage->host.size()) {
        flush(*stage, count, bounds, pitch);
        stage = nullptr;
        count = 0;
      }
    }
  }
  if (stage != nullptr) flush(*stage, count, bounds, pitch);
}

void RestrictionStaging::flush(Stage<Exclusion>& stage, int64_t count, float* bounds, int64_t pitch) {
  stage.device.upload(stage.host.span().first(static_cast<size_t>(count)));
  mark_excluded(stream_, stage.device.data(), count, bounds, pitch);
  stage.sent.record(stream_);
}

}  // namespace bouquet::cuda
