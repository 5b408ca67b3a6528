// The CPU backend behind a pause that the test chooses: a sleep makes a backend of known speed, a gate one that hangs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/backend.h"

namespace bouquet::server {

class PacedBackend final : public Backend {
 public:
  // Called before every batch that ranks something, on the worker's thread; it has the number of queries.
  using Pause = std::function<void(int32_t queries)>;

  explicit PacedBackend(Pause pause);

  std::string_view name() const override { return inner_->name(); }
  std::string description() const override { return inner_->description(); }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model& model) override;
  absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions& interactions,
                                                                  const TrainingOptions& options) override;

 private:
  const std::shared_ptr<const Pause> pause_;
  const std::unique_ptr<Backend> inner_;
};

}  // namespace bouquet::server
