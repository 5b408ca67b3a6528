#include "cuda/cuda_backend.h"

#include <memory>
#include <string>
#include <utility>

#include "cuda/cuda_model.h"
#include "cuda/cuda_training.h"
#include "cuda/device.h"
#include "cuda/devices.h"
#include "cuda/nvtx_range.h"
#include "cuda/roofline.h"
#include "cuda/serving_memory.h"
#include "cuda/status.h"

namespace bouquet::cuda {
namespace {

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(std::shared_ptr<const Device> device) : device_(std::move(device)) {}

  std::string_view name() const override { return "cuda"; }
  std::string description() const override {
    const DeviceProperties& p = device_->properties();
    return "cuda, " + p.name + ", device " + std::to_string(p.index) + ", compute capability " + std::to_string(p.capability / 10) + "." +
           std::to_string(p.capability % 10);
  }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model& model) override { return load_cuda_model(model, device_); }
  absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions& interactions,
                                                                  const TrainingOptions& options) override {
    return start_cuda_training(interactions, options, device_);
  }
  absl::StatusOr<Roofline> measure_roofline() override {
    const NvtxRange range("bouquet: measure_roofline");
    return guarded(*device_, "measuring the device", [&]() -> absl::StatusOr<Roofline> { return cuda::measure_roofline(*device_); });
  }
  MemoryTable training_memory(const Interactions& interactions, const TrainingOptions& options) const override {
    return cuda::training_memory(interactions, options, device_->properties().capability);
  }
  MemoryTable judging_memory(const JudgingShape& shape) const override {
    return cuda::judging_memory(shape, device_->properties().multiprocessors);
  }
  int64_t memory_free() const override {
    try {
      return device_->free_bytes();
    } catch (const CudaError&) {
      return Backend::memory_free();  // the next call says what is wrong
    }
  }
  int64_t memory_used() const override {
    try {
      return device_->used_bytes();
    } catch (const CudaError&) {
      return 0;
    }
  }

 private:
  const std::shared_ptr<const Device> device_;  // shared with sessions and models, so that they may outlive the backend
};

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> make_cuda_backend(int index) {
  const PlatformReport report = report_devices();
  if (absl::Status s = usable(report, index); !s.ok()) return s;
  try {
    return std::make_unique<CudaBackend>(std::make_shared<const Device>(index));
  } catch (const CudaError& error) {
    return to_status(error, "opening " + described(report.devices[static_cast<size_t>(index)]));
  }
}

}  // namespace bouquet::cuda
