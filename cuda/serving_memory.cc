#include "cuda/serving_memory.h"

#include "cuda/cuda_profiler.h"
#include "cuda/cuda_ranker.h"
#include "cuda/fold_in_source.h"
#include "cuda/rank_plan.h"

namespace bouquet::cuda {
namespace {

void add_all(MemoryTable& to, const MemoryTable& from, int32_t times) {
  for (const MemoryUse& use : from.lines()) to.add(use.purpose, times * use.bytes);
}

}  // namespace

MemoryTable model_memory(const ServedModel& model) {
  MemoryTable table;
  table.add("profiles", model.customers * model.dimension * int64_t{sizeof(float)});
  table.add("items", model.items * model.dimension * int64_t{sizeof(float)});
  return table;
}

MemoryTable ranker_memory(const ServedModel& model, Side side, RankerLimits limits, int multiprocessors) {
  const RankPlan plan = plan_ranking(limits, side == Side::kItems ? model.items : model.customers, multiprocessors);
  return ranker_memory(plan, model.dimension, limits.max_k);
}

MemoryTable serving_memory(const ServedModel& model, const Serving& serving, int multiprocessors) {
  MemoryTable table = model_memory(model);
  add_all(table, ranker_memory(model, Side::kItems, serving.ranker_limits, multiprocessors), serving.item_rankers);
  if (serving.profilers == 0) return table;
  const Side solved = serving.profiler_limits.solved;
  const int64_t fixed = solved == Side::kCustomers ? model.items : model.customers;
  FoldInSource::count_memory({solved, fixed, model.dimension, model.prior_columns}, table);
  add_all(table, profiler_memory({fixed, model.dimension, serving.profiler_limits, model.prior_columns, model.prior_dense}),
          serving.profilers);
  return table;
}

}  // namespace bouquet::cuda
