// What a device can do at most: a copy and a chain of multiply-adds, timed by its own clock.
#pragma once

#include "cuda/device.h"
#include "engine/roofline.h"

namespace bouquet::cuda {

// Takes up to a quarter of the free memory, 2 GiB at most, for the copy, and gives it back. Throws CudaError.
Roofline measure_roofline(const Device& device);

}  // namespace bouquet::cuda
