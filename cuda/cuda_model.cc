#include "cuda/cuda_model.h"

#include <string>
#include <utility>

#include "cuda/cuda_ranker.h"
#include "cuda/device_model.h"
#include "cuda/status.h"
#include "engine/errors.h"

namespace bouquet::cuda {
namespace {

class CudaModel final : public LoadedModel {
 public:
  CudaModel(const Model& model, std::shared_ptr<const Device> device) : tables_(model, std::move(device)) {}

  absl::StatusOr<std::unique_ptr<Ranker>> make_ranker(Side side, RankerLimits limits) const override {
    return make_cuda_ranker(shared_from_this(), tables_, side, limits);
  }

  absl::StatusOr<std::unique_ptr<Profiler>> make_profiler(ProfilerLimits) const override {
    return absl::UnimplementedError("the CUDA backend does not fold in yet; use --backend cpu");
  }

 private:
  const DeviceModel tables_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const LoadedModel>> load_cuda_model(const Model& model, std::shared_ptr<const Device> device) {
  if (absl::Status s = validate(model); !s.ok()) return wrong_usage(message_of(s));
  const int64_t bytes = (model.item_vectors.size() + model.profiles.size()) * static_cast<int64_t>(sizeof(float));
  return guarded(
      *device, "loading a model of " + std::to_string(bytes >> 20) + " MiB",
      [&]() -> absl::StatusOr<std::shared_ptr<const LoadedModel>> { return std::make_shared<const CudaModel>(model, std::move(device)); });
}

}  // namespace bouquet::cuda
