#include "cuda/half_step_plan.h"

#include <algorithm>
#include <limits>

namespace bouquet::cuda {
namespace {

constexpr int64_t kPartialSumBytes = int64_t{256} << 20;

enum class Way { kEmpty, kDual, kDirect, kLong };

Way way_of(int64_t pairs, int32_t longest_dual, bool in_parts) {
  if (pairs == 0) return Way::kEmpty;
  if (pairs <= longest_dual) return Way::kDual;
  return in_parts && part_count(pairs) > 1 ? Way::kLong : Way::kDirect;
}

// Cuts rows[at..] into waves.
void plan_waves(HalfStepPlan& plan, std::span<const int64_t> offsets, int32_t at, int32_t most_slots) {
  const auto end = static_cast<int32_t>(plan.rows.size());
  while (at < end) {
    LongWave wave{{at, 0}, static_cast<int64_t>(plan.parts.size()), 0, static_cast<int64_t>(plan.first_slots.size())};
    for (; at < end; ++at, ++wave.rows.count) {
      const int32_t row = plan.rows[static_cast<size_t>(at)];
      const int64_t begin = offsets[static_cast<size_t>(row)], pairs = offsets[static_cast<size_t>(row) + 1] - begin;
      const int32_t parts = part_count(pairs);
      if (wave.parts > 0 && wave.parts + parts > most_slots) break;
      plan.first_slots.push_back(wave.parts);
      for (int32_t p = 0; p < parts; ++p) {
        const int64_t first = part_begin(pairs, parts, p);
        plan.parts.push_back({row, wave.parts++, begin + first, static_cast<int32_t>(part_begin(pairs, parts, p + 1) - first)});
      }
    }
    plan.first_slots.push_back(wave.parts);
    plan.slots = std::max(plan.slots, wave.parts);
    plan.long_waves.push_back(wave);
  }
}

}  // namespace

void HalfStepPlan::reserve(int32_t most_rows) {
  rows.reserve(static_cast<size_t>(most_rows));
  // Rows of one shape stand together, so there are no more groups than shapes, nor than lengths.
  dual_groups.reserve(static_cast<size_t>(std::min(most_rows, kLargestTiledSystem)));
}

HalfStepPlan plan_half_step(std::span<const int64_t> offsets, int32_t d, int32_t most_slots) {
  HalfStepPlan plan;
  plan_half_step(offsets, d, most_slots, plan);
  return plan;
}

void plan_half_step(std::span<const int64_t> offsets, int32_t d, int32_t most_slots, HalfStepPlan& plan) {
  plan.dual_groups.clear();
  plan.long_waves.clear();
  plan.parts.clear();
  plan.first_slots.clear();
  plan.slots = 0;
  const auto count = static_cast<int32_t>(offsets.size() - 1);
  const int32_t longest_dual = longest_dual_row(d);
  const auto length = [&](int32_t r) { return offsets[static_cast<size_t>(r) + 1] - offsets[static_cast<size_t>(r)]; };
  const auto way = [&](int32_t r) { return way_of(length(r), longest_dual, most_slots > 0); };
  plan.row_count = count;
  plan.rows.resize(static_cast<size_t>(count));
  for (int32_t r = 0; r < count; ++r) plan.rows[static_cast<size_t>(r)] = r;
  std::ranges::sort(plan.rows, [&](int32_t a, int32_t b) {  // not stable_sort: it allocates
    const Way x = way(a), y = way(b);
    if (x != y) return x < y;
    return length(a) != length(b) ? length(a) > length(b) : a < b;
  });
  int32_t at = 0;
  const auto take = [&](Way wanted) {
    RowRange range{at, 0};
    while (at < count && way(plan.rows[static_cast<size_t>(at)]) == wanted) ++at;
    range.count = at - range.first;
    return range;
  };
  plan.empty = take(Way::kEmpty);
  plan.dual = take(Way::kDual);
  for (int32_t i = plan.dual.first; i < plan.dual.first + plan.dual.count; ++i) {
    const TileShape shape = tile_shape(static_cast<int32_t>(length(plan.rows[static_cast<size_t>(i)])));
    if (plan.dual_groups.empty() || plan.dual_groups.back().shape != shape) plan.dual_groups.push_back({shape, {i, 0}});
    ++plan.dual_groups.back().rows.count;
  }
  plan.direct = take(Way::kDirect);
  plan_waves(plan, offsets, at, most_slots);
}

int32_t most_partial_sums(int32_t d) {
  const int64_t bytes = system_floats(d) * int64_t{sizeof(float)};
  return static_cast<int32_t>(std::clamp<int64_t>(kPartialSumBytes / bytes, kMostParts, std::numeric_limits<int32_t>::max()));
}

}  // namespace bouquet::cuda
