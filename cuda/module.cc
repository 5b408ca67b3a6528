// What the module exports: see engine/backend_module.h.
#include "cuda/cuda_backend.h"
#include "cuda/cuda_training.h"
#include "cuda/devices.h"
#include "cuda/serving_memory.h"
#include "engine/backend_module.h"

namespace {

// Where there is no device to ask: Hopper, for which cuBLAS wants most.
constexpr int kPlannedCapability = 90;
constexpr int kPlannedMultiprocessors = 132;

bouquet::MemoryTable planned_training_memory(const bouquet::Interactions& interactions, const bouquet::TrainingOptions& options) {
  return bouquet::cuda::training_memory(interactions, options, kPlannedCapability);
}

bouquet::MemoryTable planned_judging_memory(const bouquet::JudgingShape& shape) {
  return bouquet::cuda::judging_memory(shape, kPlannedMultiprocessors);
}

}  // namespace

extern "C" {

const char* bouquet_module_build_id() { return bouquet::build_id(); }

const bouquet::BackendModule* bouquet_module_entry() {
  static constexpr bouquet::BackendModule kModule = {bouquet::cuda::make_cuda_backend, bouquet::cuda::report_devices,
                                                     planned_training_memory, planned_judging_memory};
  return &kModule;
}

}  // extern "C"
