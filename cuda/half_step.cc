#include "cuda/half_step.h"

#include <span>
#include <vector>

#include "cuda/wait_at_exit.h"

namespace bouquet::cuda {
namespace {

// Rows solved directly, by the kernels that d asks for.
void run_direct(const DevicePairs& pairs, const DeviceSource& source, const RowList& rows, SolveScratch& scratch,
                const DeviceSolutions& out, const Stream& stream) {
  if (source.dimension <= kLargestTiledSystem)
    solve_direct(pairs, source, rows, out, stream);
  else
    solve_large(pairs, source, rows, out, scratch.factors(), stream);
}

void run_wave(const PlannedRows& planned, const LongWave& wave, const DevicePairs& pairs, const DeviceSource& source, SolveScratch& scratch,
              const DeviceSolutions& out, const Stream& stream) {
  const RowList rows{planned.rows + wave.rows.first, wave.rows.count};
  const RowPart* parts = planned.parts + wave.first_part;
  const int32_t* first_slots = planned.first_slots + wave.first_slot;
  if (source.dimension <= kLargestTiledSystem) {
    sum_parts(pairs, source, parts, wave.parts, scratch.partial(), stream);
    solve_from_parts(pairs, source, rows, first_slots, scratch.partial(), out, stream);
  } else {
    sum_large_parts(pairs, source, parts, wave.parts, scratch.partial(), stream);
    solve_large_from_parts(pairs, source, rows, first_slots, scratch.partial(), out, scratch.factors(), stream);
  }
}

// They stand together, and are solved in the eigenbasis where there is one.
RowRange empty_and_dual(const HalfStepPlan& plan) { return {plan.empty.first, plan.empty.count + plan.dual.count}; }

template <typename T>
int64_t bytes_of(int64_t count) {
  return count * static_cast<int64_t>(sizeof(T));
}

}  // namespace

SolveScratch::SolveScratch(int32_t d, int32_t slots, int32_t rows, const Stream& stream)
    : sums_(slots * system_floats(d), stream), rights_(int64_t{slots} * system_size(d), stream) {
  if (d <= kLargestTiledSystem) return;
  large_blocks_ = large_blocks(rows);
  factors_ = DeviceArray<float>(large_blocks_ * system_floats(d), stream);
}

void SolveScratch::count_memory(int32_t d, int32_t slots, int32_t rows, MemoryTable& table) {
  table.add("partial sums of long rows", bytes_of<float>(slots * (system_floats(d) + system_size(d))));
  if (d > kLargestTiledSystem) table.add("factors of large systems", bytes_of<float>(large_blocks(rows) * system_floats(d)));
}

HalfStep::HalfStep(const SparseRows& rows, const HalfStepPlan& plan, const RidgeRule& rule, const Stream& stream)
    : plan_(plan),
      offsets_(rows.offsets, stream),
      columns_(rows.columns, stream),
      confidences_(rows.confidences, stream),
      targets_(rows.targets, stream),
      rows_(plan.rows, stream),
      parts_(plan.parts, stream),
      first_slots_(plan.first_slots, stream) {
  const std::vector<double> ridges = ridges_of(rows, rule);
  const WaitAtExit wait(stream);
  ridges_ = DeviceArray<double>(ridges, stream);
  stream.synchronize();
  plan_.rows = {};
  plan_.parts = {};
  plan_.first_slots = {};
}

void HalfStep::count_memory(const SparseRows& rows, const HalfStepPlan& plan, MemoryTable& table) {
  table.add(
      "pairs, by customer and by item",
      bytes_of<int64_t>(rows.row_count() + 1) + rows.pair_count() * (bytes_of<int32_t>(1) + bytes_of<float>(rows.targets.empty() ? 1 : 2)));
  table.add("ridges and row lists", bytes_of<double>(rows.row_count()) + bytes_of<int32_t>(rows.row_count()) +
                                        bytes_of<RowPart>(static_cast<int64_t>(plan.parts.size())) +
                                        bytes_of<int32_t>(static_cast<int64_t>(plan.first_slots.size())));
}

DevicePairs HalfStep::pairs() const {
  return {offsets_.data(), columns_.data(), confidences_.data(), targets_.size() == 0 ? nullptr : targets_.data(), ridges_.data()};
}

void HalfStep::run(const SolveSource& source, SolveScratch& scratch, const RowPriors& priors, const DeviceSolutions& out,
                   const Stream& stream) const {
  const PlannedRows planned{plan_, rows_.data(), parts_.data(), first_slots_.data()};
  DevicePairs with_means = pairs();
  with_means.means = priors.means;
  prepare_means(planned, priors, source, stream);
  run_plan(planned, with_means, source, scratch, out, stream);
}

void run_plan(const PlannedRows& planned, const DevicePairs& pairs, const SolveSource& source, SolveScratch& scratch,
              const DeviceSolutions& out, const Stream& stream) {
  const HalfStepPlan& plan = planned.plan;
  const DeviceSource view = source.view();
  const auto list = [&](const RowRange& range) { return RowList{planned.rows + range.first, range.count}; };
  for (const LongWave& wave : plan.long_waves) run_wave(planned, wave, pairs, view, scratch, out, stream);
  run_direct(pairs, view, list(plan.direct), scratch, out, stream);
  const bool drawn = pairs.means != nullptr;  // empty rows are to be solved too
  if (source.has_basis()) {
    for (const DualGroup& group : plan.dual_groups) solve_dual(pairs, view, list(group.rows), group.shape, out, stream);
    if (drawn) shrink_means(pairs, view, list(plan.empty), out, stream);
    rotate_back(source.basis(), source.dimension(), list(drawn ? empty_and_dual(plan) : plan.dual), out, stream);
  } else {
    run_direct(pairs, view, list(drawn ? empty_and_dual(plan) : plan.dual), scratch, out, stream);
  }
  if (!drawn) clear_rows(list(plan.empty), source.dimension(), out, stream);
}

void prepare_means(const PlannedRows& planned, const RowPriors& priors, const SolveSource& source, const Stream& stream) {
  if (priors.map == nullptr) return;
  const auto compute = [&](const float* map, const RowRange& range) {
    compute_prior_means(priors.attributes, map, source.dimension(), {planned.rows + range.first, range.count}, priors.means, stream);
  };
  const float* map = priors.map->table().data();
  const RowRange in_basis = empty_and_dual(planned.plan);
  const int32_t end = in_basis.first + in_basis.count;
  compute(source.has_basis() ? priors.map->rotated() : map, in_basis);
  compute(map, {end, planned.plan.row_count - end});
}

void factorize_rows(const RowList& rows, const DevicePairs& pairs, const SolveSource& source, SolveScratch& scratch,
                    const DeviceSolutions& out, const Stream& stream) {
  run_direct(pairs, source.view(), rows, scratch, out, stream);
}

}  // namespace bouquet::cuda
