// A backend on a device that may be lost, and one on the host that stands by: everything is loaded into both, and what the device can no
// longer do the other one does, beginning with the very call that told of the loss. There is no way back: only a new process gets a device
// again. Whoever asks notices nothing but the speed, and the rounding of scores.
#pragma once

#include <memory>
#include <string>

#include "engine/backend.h"

namespace bouquet::server {

// What is known of the device; shared by all that is made on it.
class DeviceState;

class StandbyBackend final : public Backend {
 public:
  StandbyBackend(std::unique_ptr<Backend> device, std::unique_ptr<Backend> standby);
  ~StandbyBackend() override;

  // What the device said when it was lost; empty while it is there. Thread-safe.
  std::string lost_because() const;

  std::string_view name() const override { return device_->name(); }
  std::string description() const override;
  absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model& model) override;
  // Trainings do not change places: they end, and begin again from their last checkpoint.
  absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions& interactions,
                                                                  const TrainingOptions& options) override {
    return device_->start_training(interactions, options);
  }
  absl::StatusOr<Roofline> measure_roofline() override { return device_->measure_roofline(); }
  MemoryTable training_memory(const Interactions& interactions, const TrainingOptions& options) const override {
    return device_->training_memory(interactions, options);
  }
  MemoryTable judging_memory(const JudgingShape& shape) const override { return device_->judging_memory(shape); }
  int64_t memory_free() const override { return device_->memory_free(); }
  int64_t memory_used() const override { return device_->memory_used(); }

 private:
  const std::unique_ptr<Backend> device_, standby_;
  const std::shared_ptr<DeviceState> state_;
};

}  // namespace bouquet::server
