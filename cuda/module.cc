// What the module exports: see engine/backend_module.h.
#include "cuda/cuda_backend.h"
#include "cuda/cuda_training.h"
#include "cuda/devices.h"
#include "engine/backend_module.h"

extern "C" {

const char* bouquet_module_build_id() { return bouquet::build_id(); }

const bouquet::BackendModule* bouquet_module_entry() {
  static constexpr bouquet::BackendModule kModule = {bouquet::cuda::make_cuda_backend, bouquet::cuda::report_devices,
                                                     bouquet::cuda::training_memory};
  return &kModule;
}

}  // extern "C"
