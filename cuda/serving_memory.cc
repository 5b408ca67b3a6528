#include "cuda/serving_memory.h"

#include "cuda/cuda_ranker.h"
#include "cuda/rank_plan.h"

namespace bouquet::cuda {

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

}  // namespace bouquet::cuda
