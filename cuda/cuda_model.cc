#include "cuda/cuda_model.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "cuda/cuda_profiler.h"
#include "cuda/cuda_ranker.h"
#include "cuda/device_model.h"
#include "cuda/fold_in_source.h"
#include "cuda/nvtx_range.h"
#include "cuda/serving_memory.h"
#include "cuda/status.h"
#include "engine/delta_checks.h"
#include "engine/errors.h"
#include "engine/fold_in_checks.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {
namespace {

class CudaModel final : public LoadedModel {
 public:
  CudaModel(const Model& model, std::shared_ptr<const Device> device) : tables_(model, std::move(device)) {}
  CudaModel(const CudaModel& model, const ModelDelta& delta) : tables_(model.tables_, delta) {
    // What is made of a side that gets no rows serves on. Customers are solved with the items, items with the profiles.
    const std::lock_guard lock(model.mutex_);
    if (delta.items.rows == 0) fold_in_ = model.fold_in_;
    if (delta.customers.rows == 0) item_fold_in_ = model.item_fold_in_;
  }

  absl::StatusOr<std::unique_ptr<Ranker>> make_ranker(Side side, RankerLimits limits) const override {
    const NvtxRange range("bouquet: make_ranker");
    return make_cuda_ranker(shared_from_this(), tables_, side, limits);
  }

  absl::StatusOr<std::unique_ptr<Profiler>> make_profiler(ProfilerLimits limits) const override {
    const NvtxRange range("bouquet: make_profiler");
    if (absl::Status s = validate(limits); !s.ok()) return s;
    auto source = prepare_fold_in(limits.solved);
    if (!source.ok()) return source.status();
    return make_cuda_profiler(shared_from_this(), tables_, **source, limits);
  }

  absl::StatusOr<std::shared_ptr<const LoadedModel>> with(const ModelDelta& delta) const override {
    const NvtxRange range("bouquet: add rows");
    if (absl::Status s = validate(delta, tables_.dimension()); !s.ok()) return s;
    return guarded(tables_.device(), "adding rows to a model", [&]() -> absl::StatusOr<std::shared_ptr<const LoadedModel>> {
      const ServedModel added{.customers = rows_with(tables_.profiles(), delta.customers),
                              .items = rows_with(tables_.items(), delta.items),
                              .dimension = tables_.dimension()};
      const absl::Status fits =
          check_fits(model_memory(added), tables_.device().free_bytes(), "adding rows to a model",
                     "The model as it was stays until nobody uses it. Fewer models on the device or a larger one fits.");
      if (!fits.ok()) return fits;
      return std::make_shared<const CudaModel>(*this, delta);
    });
  }

 private:
  // Rows of a side that is made anew; none where it is shared.
  static int64_t rows_with(DeviceMatrix rows, MatrixView<const float> added) { return added.rows == 0 ? 0 : rows.rows + added.rows; }

  absl::StatusOr<const FoldInSource*> prepare_fold_in(Side solved) const {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const FoldInSource>& source = solved == Side::kItems ? item_fold_in_ : fold_in_;
    if (source != nullptr) return source.get();
    return guarded(tables_.device(), "preparing fold-in", [&]() -> absl::StatusOr<const FoldInSource*> {
      const FoldInShape shape = fold_in_shape(tables_, solved);
      MemoryTable needed;
      FoldInSource::count_memory(shape, needed);
      FoldInSource::count_scratch(shape, tables_.device().properties().capability, needed);
      if (absl::Status s = check_fits(needed, tables_.device().free_bytes(), "fold-in", "Fewer models on the device or a larger one fits.");
          !s.ok())
        return s;
      source = std::make_shared<const FoldInSource>(tables_, solved);
      return source.get();
    });
  }

  const DeviceModel tables_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const FoldInSource> fold_in_, item_fold_in_;  // made when the first profiler of the side is asked for
};

}  // namespace

absl::StatusOr<std::shared_ptr<const LoadedModel>> load_cuda_model(const Model& model, std::shared_ptr<const Device> device) {
  const NvtxRange range("bouquet: load");
  if (absl::Status s = validate(model); !s.ok()) return wrong_usage(message_of(s));
  const int64_t bytes = (model.item_vectors.size() + model.profiles.size()) * static_cast<int64_t>(sizeof(float));
  return guarded(*device, "loading a model of " + std::to_string(bytes >> 20) + " MiB",
                 [&]() -> absl::StatusOr<std::shared_ptr<const LoadedModel>> {
                   const absl::Status fits =
                       check_fits(model_memory({model.customer_count(), model.item_count(), model.dimension}), device->free_bytes(),
                                  "loading a model", "A smaller --dimension, fewer models on the device or a larger one fits.");
                   if (!fits.ok()) return fits;
                   return std::make_shared<const CudaModel>(model, device);
                 });
}

}  // namespace bouquet::cuda
