#include "cli/backends.h"

#include "cpu_fallback/cpu_backend.h"
#include "engine/errors.h"

namespace bouquet {

std::vector<std::string> backend_names() { return {"cpu"}; }

absl::StatusOr<std::unique_ptr<Backend>> make_backend(const BackendChoice& choice) {
  if (choice.name == "auto" || choice.name == "cpu") return cpu::make_cpu_backend(choice.threads);
  if (choice.name == "cuda") return absl::UnavailableError("--backend cuda: this build has no CUDA backend; use --backend cpu or auto");
  return wrong_usage("--backend '" + choice.name + "' is unknown; it takes auto, cpu or cuda");
}

}  // namespace bouquet
