#include "cli/backends.h"

#include "cli/cuda_module.h"
#include "cpu_fallback/cpu_backend.h"
#include "engine/errors.h"

namespace bouquet {
namespace {

absl::StatusOr<std::unique_ptr<Backend>> make_cuda_backend(int32_t device) {
  const auto module = open_cuda_module(cuda_module_path());
  if (!module.ok()) return module.status();
  return (*module)->make_backend(device);
}

}  // namespace

std::vector<std::string> backend_names() { return {"cuda", "cpu"}; }

absl::StatusOr<std::unique_ptr<Backend>> make_backend(const BackendChoice& choice) {
  if (choice.name != "auto" && choice.name != "cpu" && choice.name != "cuda")
    return wrong_usage("--backend '" + choice.name + "' is unknown; it takes auto, cpu or cuda");
  if (choice.name != "cpu") {
    auto backend = make_cuda_backend(choice.device);
    // Only a device that is absent sends `auto` to the CPU: one that is broken or hidden by a mistake is not passed over in silence.
    if (backend.ok() || choice.name == "cuda" || !absl::IsUnavailable(backend.status())) return backend;
  }
  return cpu::make_cpu_backend(choice.threads);
}

}  // namespace bouquet
