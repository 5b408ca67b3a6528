// How many calls of the runtime look at the devices before a backend opens one.
#pragma once

#include <cstdint>

#include "cuda/devices.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {

inline int64_t calls_to_look_at_devices() {
  const int64_t first = emulation::calls_made();
  report_devices();
  return emulation::calls_made() - first;
}

}  // namespace bouquet::cuda
