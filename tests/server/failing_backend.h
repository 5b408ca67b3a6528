// A backend whose calls fail when a test says so, as those of a device that is full or lost.
#pragma once

#include <atomic>
#include <memory>

#include "engine/backend.h"

namespace bouquet::server {

// When calls fail. Thread-safe; shared by a backend and all that is made on it.
class Fault {
 public:
  // From the n-th call from now on, 1 for the next one, every call fails with `status`, which is not ok.
  void begin(int64_t n, const absl::Status& status);
  void end() { first_.store(kNever); }
  int64_t calls() const { return calls_.load(); }

  // Counts a call. What it is to return at once, or ok.
  absl::Status call();

 private:
  static constexpr int64_t kNever = INT64_MAX;
  std::atomic<int64_t> calls_{0}, first_{kNever};
  absl::Status status_;  // set before first_
};

// Answers as the CPU backend does where it does not fail. What was made before a fault begins fails too.
class FailingBackend final : public Backend {
 public:
  explicit FailingBackend(std::shared_ptr<Fault> fault);

  std::string_view name() const override { return "failing"; }
  std::string description() const override { return "a device that may fail"; }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model& model) override;
  absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions& interactions,
                                                                  const TrainingOptions& options) override;

 private:
  const std::unique_ptr<Backend> inner_;
  const std::shared_ptr<Fault> fault_;
};

}  // namespace bouquet::server
