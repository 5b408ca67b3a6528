#include "cpu_fallback/cpu_model.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "cpu_fallback/cpu_profiler.h"
#include "cpu_fallback/cpu_ranker.h"
#include "engine/errors.h"
#include "engine/fold_in_checks.h"

namespace bouquet::cpu {
namespace {

class CpuModel final : public LoadedModel {
 public:
  CpuModel(const Model& model, std::shared_ptr<ThreadPool> pool) : model_(model), pool_(std::move(pool)) {}

  absl::StatusOr<std::unique_ptr<Ranker>> make_ranker(Side side, RankerLimits limits) const override {
    try {
      return make_cpu_ranker(shared_from_this(), side_matrix(side == Side::kItems ? Side::kCustomers : Side::kItems), rank_table(side),
                             limits, *pool_);
    } catch (const std::bad_alloc&) {
      return no_resource("there is not enough memory to rank a model of dimension " + std::to_string(model_.dimension));
    }
  }

  absl::StatusOr<std::unique_ptr<Profiler>> make_profiler(ProfilerLimits limits) const override {
    if (absl::Status s = validate(limits); !s.ok()) return s;
    try {
      return make_cpu_profiler(shared_from_this(), fold_in_side(limits.solved), limits, pool_);
    } catch (const std::bad_alloc&) {
      return no_resource("there is not enough memory for a profiler of dimension " + std::to_string(model_.dimension));
    }
  }

 private:
  MatrixView<const float> side_matrix(Side side) const { return side == Side::kItems ? model_.item_matrix() : model_.profile_matrix(); }

  std::shared_ptr<const RankTable> rank_table(Side side) const {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const RankTable>& table = rank_tables_[side == Side::kItems ? 0 : 1];
    if (!table) table = build_rank_table(side_matrix(side), *pool_);
    return table;
  }

  const FoldInSide& fold_in_side(Side solved) const {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<const FoldInSide>& side = fold_in_sides_[solved == Side::kItems ? 0 : 1];
    if (!side) side = std::make_unique<const FoldInSide>(model_, solved, *pool_);
    return *side;
  }

  const Model model_;
  const std::shared_ptr<ThreadPool> pool_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const RankTable> rank_tables_[2];     // of the items and the customers: made when first asked for
  mutable std::unique_ptr<const FoldInSide> fold_in_sides_[2];  // where items are solved and customers: likewise
};

}  // namespace

absl::StatusOr<std::shared_ptr<const LoadedModel>> load_cpu_model(const Model& model, std::shared_ptr<ThreadPool> pool) {
  if (absl::Status s = validate(model); !s.ok()) return wrong_usage(message_of(s));
  try {
    return std::make_shared<const CpuModel>(model, std::move(pool));
  } catch (const std::bad_alloc&) {
    return no_resource("there is not enough memory to load the model");
  }
}

}  // namespace bouquet::cpu
