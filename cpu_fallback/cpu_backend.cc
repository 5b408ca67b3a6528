#include "cpu_fallback/cpu_backend.h"

#include <algorithm>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "cpu_fallback/cpu_model.h"
#include "cpu_fallback/cpu_training.h"
#include "cpu_fallback/panel_kernels.h"
#include "cpu_fallback/roofline.h"
#include "engine/errors.h"

namespace bouquet::cpu {
namespace {

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads) : pool_(std::make_shared<ThreadPool>(threads)) {}

  std::string_view name() const override { return "cpu"; }
  std::string description() const override {
    return std::string("cpu, ") + instruction_set() + ", threads=" + std::to_string(pool_->size());
  }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model& model) override { return load_cpu_model(model, pool_); }
  absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions& interactions,
                                                                  const TrainingOptions& options) override {
    return start_cpu_training(interactions, options, pool_);
  }
  absl::StatusOr<Roofline> measure_roofline() override {
    try {
      return cpu::measure_roofline(*pool_);
    } catch (const std::bad_alloc&) {
      return no_resource("no memory to measure its bandwidth with");
    }
  }

 private:
  const std::shared_ptr<ThreadPool> pool_;  // shared with sessions and models, so that they may outlive the backend
};

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> make_cpu_backend(int32_t threads) {
  if (threads < 0 || threads > 1024) return wrong_usage("--threads is " + std::to_string(threads) + "; it must be from 0 to 1024");
  if (threads == 0) threads = static_cast<int32_t>(std::max(1u, std::thread::hardware_concurrency()));
  try {
    return std::make_unique<CpuBackend>(threads);
  } catch (const std::system_error& error) {
    return no_resource("cannot start " + std::to_string(threads) + " threads: " + error.what());
  }
}

}  // namespace bouquet::cpu
