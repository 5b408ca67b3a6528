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
#include "engine/delta_checks.h"
#include "engine/errors.h"
#include "engine/fold_in_checks.h"

namespace bouquet::cpu {
namespace {

class CpuModel final : public LoadedModel {
 public:
  CpuModel(const Model& model, int64_t loaded_customers, std::shared_ptr<ThreadPool> pool)
      : model_(model), loaded_customers_(loaded_customers), pool_(std::move(pool)) {}

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

  absl::StatusOr<std::shared_ptr<const LoadedModel>> with(const ModelDelta& delta) const override {
    if (absl::Status s = validate(delta, model_.dimension); !s.ok()) return s;
    try {
      Model model = model_;
      model.item_vectors = longer(model_.item_vectors, delta.items);
      model.profiles = longer(model_.profiles, delta.customers);
      auto made = std::make_shared<CpuModel>(model, loaded_customers_, pool_);
      // What is made of a side that has no new rows serves on. Items are solved with the profiles, customers with the item vectors.
      const std::lock_guard lock(mutex_);
      if (delta.items.rows == 0) made->rank_tables_[0] = rank_tables_[0], made->fold_in_sides_[1] = fold_in_sides_[1];
      if (delta.customers.rows == 0) made->rank_tables_[1] = rank_tables_[1], made->fold_in_sides_[0] = fold_in_sides_[0];
      return made;
    } catch (const std::bad_alloc&) {
      return no_resource("there is not enough memory to add rows to a model of dimension " + std::to_string(model_.dimension));
    }
  }

 private:
  static SharedArray<float> longer(const SharedArray<float>& rows, MatrixView<const float> added) {
    if (added.rows == 0) return rows;
    std::vector<float> all;
    all.reserve(static_cast<size_t>(rows.size() + added.rows * added.cols));
    all.insert(all.end(), rows.begin(), rows.end());
    all.insert(all.end(), added.data, added.data + added.rows * added.cols);
    return all;
  }
  MatrixView<const float> side_matrix(Side side) const { return side == Side::kItems ? model_.item_matrix() : model_.profile_matrix(); }

  std::shared_ptr<const RankTable> rank_table(Side side) const {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const RankTable>& table = rank_tables_[side == Side::kItems ? 0 : 1];
    if (!table) table = build_rank_table(side_matrix(side), *pool_);
    return table;
  }

  const FoldInSide& fold_in_side(Side solved) const {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const FoldInSide>& side = fold_in_sides_[solved == Side::kItems ? 0 : 1];
    if (!side) side = std::make_shared<const FoldInSide>(model_, loaded_customers_, solved, *pool_);
    return *side;
  }

  const Model model_;
  const int64_t loaded_customers_;  // not those added later
  const std::shared_ptr<ThreadPool> pool_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const RankTable> rank_tables_[2];     // of the items and the customers: made when first asked for
  mutable std::shared_ptr<const FoldInSide> fold_in_sides_[2];  // where items are solved and customers: likewise
};

}  // namespace

absl::StatusOr<std::shared_ptr<const LoadedModel>> load_cpu_model(const Model& model, std::shared_ptr<ThreadPool> pool) {
  if (absl::Status s = validate(model); !s.ok()) return wrong_usage(message_of(s));
  try {
    return std::make_shared<const CpuModel>(model, model.customer_count(), std::move(pool));
  } catch (const std::bad_alloc&) {
    return no_resource("there is not enough memory to load the model");
  }
}

}  // namespace bouquet::cpu
