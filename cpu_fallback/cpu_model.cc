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

// The items as fold-in reads them; made when the first profiler is asked for.
struct FoldInItems {
  FoldInItems(const Model& model, ThreadPool& pool)
      : table(FactorTable::copy_of(model.item_matrix())), source(table, model.constants.unobserved_weight) {
    source.refresh(model.item_gram.view(), pool);
  }
  FactorTable table;
  SolveSource source;
};

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
      const ModelConstants& c = model_.constants;
      const RidgeRule rule{c.unobserved_weight, c.regularization, c.regularization_exponent, c.training_item_count};
      return make_cpu_profiler(shared_from_this(), fold_in_items().source, rule, limits, pool_);
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

  const FoldInItems& fold_in_items() const {
    const std::lock_guard lock(mutex_);
    if (!fold_in_items_) fold_in_items_ = std::make_unique<FoldInItems>(model_, *pool_);
    return *fold_in_items_;
  }

  const Model model_;
  const std::shared_ptr<ThreadPool> pool_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const RankTable> rank_tables_[2];  // of the items and the customers: made when first asked for
  mutable std::unique_ptr<FoldInItems> fold_in_items_;       // guarded by mutex_ until made, immutable afterwards
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
