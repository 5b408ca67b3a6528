// What CUDA finds on this machine, and why it can or cannot be used.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "engine/backend_module.h"

namespace bouquet::cuda {

// Never fails: what cannot be found out is said in the report. Makes no CUDA context.
PlatformReport report_devices();

// "CUDA device 0 (Tesla T4, compute capability 7.5)", as far as it is known.
std::string described(const DeviceReport& device);

// Whether the backend can run on device `index` of such a report. Errors: see make_cuda_backend().
absl::Status usable(const PlatformReport& report, int index);

}  // namespace bouquet::cuda
