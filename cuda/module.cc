// What the module exports: see engine/backend_module.h.
#include "cuda/cuda_backend.h"
#include "cuda/cuda_training.h"
#include "cuda/devices.h"
#include "engine/backend_module.h"

namespace {

// Where there is no device to ask: Hopper, for which cuBLAS wants most.
constexpr int kPlannedCapability = 90;

bouquet::MemoryTable planned_training_memory(const bouquet::Interactions& interactions, const bouquet::TrainingOptions& options) {
  return bouquet::cuda::training_memory(interactions, options, kPlannedCapability);
}

}  // namespace

extern "C" {

const char* bouquet_module_build_id() { return bouquet::build_id(); }

const bouquet::BackendModule* bouquet_module_entry() {
  static constexpr bouquet::BackendModule kModule = {bouquet::cuda::make_cuda_backend, bouquet::cuda::report_devices,
                                                     planned_training_memory};
  return &kModule;
}

}  // extern "C"
