// The CUDA backend stands in a module, libbouquet_cuda.so, that is opened when it is asked for: the program itself needs no CUDA library.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "engine/backend_module.h"

namespace bouquet {

// Where the module is looked for: BOUQUET_CUDA_MODULE, else ../lib/bouquet from the program's folder if it is there, else beside the
// program.
std::string cuda_module_path();

// Opens the module at `path`; it stays open. Errors: Unavailable (this program was built without it; or the file or libraries that it
// needs are missing, and so is a device), ResourceExhausted (a file that is no module, a module of another build, a file or libraries that
// are missing although there is a device). Each says what to do.
absl::StatusOr<const BackendModule*> open_cuda_module(const std::string& path);

}  // namespace bouquet
