#pragma once

#include <string_view>

namespace bouquet::cuda {

// Does what a kernel, or a caller of the runtime, must not do. Returns false if there is no such misuse.
bool run_misuse(std::string_view name);

}  // namespace bouquet::cuda
