// One exact half-step on the device: every row of one side solved against the other side, which stays fixed.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/device_array.h"
#include "cuda/half_step_plan.h"
#include "cuda/prior_means.h"
#include "cuda/solve_source.h"
#include "cuda/stream.h"
#include "engine/interactions.h"
#include "engine/memory_table.h"
#include "engine/ridge_rule.h"

namespace bouquet::cuda {

// What solving needs beside the rows: partial sums of long rows and the factors of large systems. Both sides of a training share one.
class SolveScratch {
 public:
  // `slots` partial sums; for systems of up to `rows` rows at a time.
  SolveScratch(int32_t d, int32_t slots, int32_t rows, const Stream& stream);
  static void count_memory(int32_t d, int32_t slots, int32_t rows, MemoryTable& table);

  PartialSums partial() { return {sums_.data(), rights_.data()}; }
  LargeWorkspace factors() { return {factors_.data(), large_blocks_}; }

 private:
  DeviceArray<float> sums_, rights_, factors_;
  int32_t large_blocks_ = 0;
};

// Rows on the device, and what is launched for them. Made once per training.
class HalfStep {
 public:
  HalfStep(const SparseRows& rows, const HalfStepPlan& plan, const RidgeRule& rule, const Stream& stream);
  static void count_memory(const SparseRows& rows, const HalfStepPlan& plan, MemoryTable& table);

  // Writes row r of out.solved for every row. Asynchronous.
  void run(const SolveSource& source, SolveScratch& scratch, const RowPriors& priors, const DeviceSolutions& out,
           const Stream& stream) const;

  DevicePairs pairs() const;

 private:
  HalfStepPlan plan_;  // without the arrays that are on the device
  DeviceArray<int64_t> offsets_;
  DeviceArray<int32_t> columns_;
  DeviceArray<float> confidences_, targets_;
  DeviceArray<double> ridges_;
  DeviceArray<int32_t> rows_;
  DeviceArray<RowPart> parts_;
  DeviceArray<int32_t> first_slots_;
};

// The launches of a plan whose lists stand on the device: shared by training and fold-in.
struct PlannedRows {
  const HalfStepPlan& plan;
  const int32_t* rows;
  const RowPart* parts;
  const int32_t* first_slots;
};
void run_plan(const PlannedRows& planned, const DevicePairs& pairs, const SolveSource& source, SolveScratch& scratch,
              const DeviceSolutions& out, const Stream& stream);

// Fills priors.means for all the rows of a plan, each in the basis it is solved in. Nothing is done where there is no map. Asynchronous.
void prepare_means(const PlannedRows& planned, const RowPriors& priors, const SolveSource& source, const Stream& stream);

// Rows solved directly whatever their length, as their Cholesky factors need it.
void factorize_rows(const RowList& rows, const DevicePairs& pairs, const SolveSource& source, SolveScratch& scratch,
                    const DeviceSolutions& out, const Stream& stream);

}  // namespace bouquet::cuda
