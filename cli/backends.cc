#include "cli/backends.h"

#include <string>
#include <utility>

#include "cli/cuda_module.h"
#include "cpu_fallback/cpu_backend.h"
#include "engine/errors.h"
#include "engine/unsupported_options.h"

namespace bouquet {
namespace {

// What is left of the CUDA backend where there is no device: it can say what a training would need.
class PlanningBackend final : public Backend {
 public:
  PlanningBackend(const BackendModule& module, absl::Status absent) : module_(module), absent_(std::move(absent)) {}

  std::string_view name() const override { return "cuda"; }
  std::string description() const override { return "cuda, no device"; }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model&) override { return absent_; }
  absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions&, const TrainingOptions&) override { return absent_; }
  MemoryTable training_memory(const Interactions& interactions, const TrainingOptions& options) const override {
    return module_.training_memory(interactions, options);
  }

 private:
  const BackendModule& module_;
  const absl::Status absent_;
};

absl::StatusOr<std::unique_ptr<Backend>> make_cuda_backend(const BackendChoice& choice) {
  const auto module = open_cuda_module(cuda_module_path());
  if (!module.ok()) return module.status();
  auto backend = (*module)->make_backend(choice.device);
  if (choice.planning && choice.name == "cuda" && absl::IsUnavailable(backend.status()))
    return std::make_unique<PlanningBackend>(**module, backend.status());
  return backend;
}

}  // namespace

std::vector<std::string> backend_names() { return {"cuda", "cpu"}; }

absl::StatusOr<std::unique_ptr<Backend>> make_backend(const BackendChoice& choice) {
  if (choice.name != "auto" && choice.name != "cpu" && choice.name != "cuda")
    return wrong_usage("--backend '" + choice.name + "' is unknown; it takes auto, cpu or cuda");
  if (choice.name == "cuda" && choice.threads != 0)
    if (absl::Status s = check_supported("cuda", "threads", std::to_string(choice.threads)); !s.ok()) return s;
  if (choice.name != "cpu") {
    auto backend = make_cuda_backend(choice);
    // Only a device that is absent sends `auto` to the CPU: one that is there but does not work is not passed over in silence.
    if (backend.ok() || choice.name == "cuda" || !absl::IsUnavailable(backend.status())) return backend;
  }
  return cpu::make_cpu_backend(choice.threads);
}

}  // namespace bouquet
