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

MemoryTable judging_memory(const JudgingShape& shape, int multiprocessors) {
  MemoryTable table;
  if (shape.rankers == 0) return table;
  const ServedModel model{shape.customers, shape.items, shape.dimension};
  table.add("judging: the model so far", model_memory(model).total());
  table.add("judging: rankers", shape.rankers * ranker_memory(model, Side::kItems, shape.limits, multiprocessors).total());
  return table;
}

}  // namespace bouquet::cuda
