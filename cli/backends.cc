#include "cli/backends.h"

#include <cstdio>
#include <string>
#include <utility>

#include "cli/cuda_module.h"
#include "cli/nvidia_driver.h"
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
  MemoryTable judging_memory(const JudgingShape& shape) const override { return module_.judging_memory(shape); }

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

// Options of another backend than the one that is named.
absl::Status check_options(const BackendChoice& choice) {
  if (choice.threads != 0)
    if (absl::Status s = check_supported(choice.name, "threads", std::to_string(choice.threads)); !s.ok()) return s;
  return choice.device == 0 ? absl::OkStatus() : check_supported(choice.name, "device", std::to_string(choice.device));
}

// What `auto` took, on stderr. One command line serves machines with and without a device, so that an option of the backend that was not
// taken is no error there; but it is said.
void say(const std::string& what) { std::fprintf(stderr, "bouquet: --backend auto takes %s\n", what.c_str()); }

// Only a device that is absent sends `auto` to the CPU: one that is there but does not work is not passed over.
absl::StatusOr<std::unique_ptr<Backend>> make_best_backend(const BackendChoice& choice) {
  auto device = make_cuda_backend(choice);
  if (device.ok() && choice.threads != 0) say("cuda; --threads " + std::to_string(choice.threads) + " is for the cpu backend");
  if (!absl::IsUnavailable(device.status())) return device;
  if (choice.device != 0) say("cpu; --device " + std::to_string(choice.device) + " is for the cuda backend");
  // Where there is no driver nobody expects a device.
  if (nvidia_driver_is_there()) say("cpu: " + std::string(message_of(device.status())));
  return cpu::make_cpu_backend(choice.threads);
}

}  // namespace

std::vector<std::string> backend_names() { return {"cuda", "cpu"}; }

absl::StatusOr<std::unique_ptr<Backend>> make_backend(const BackendChoice& choice) {
  if (choice.name != "auto" && choice.name != "cpu" && choice.name != "cuda")
    return wrong_usage("--backend '" + choice.name + "' is unknown; it takes auto, cpu or cuda");
  if (choice.name == "auto") return make_best_backend(choice);
  if (absl::Status s = check_options(choice); !s.ok()) return s;
  return choice.name == "cuda" ? make_cuda_backend(choice) : cpu::make_cpu_backend(choice.threads);
}

}  // namespace bouquet
