// What makes rows acceptable that a loaded model shall get. Every backend's with() asks this first, so that all of them refuse the same.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/backend.h"

namespace bouquet {

// Errors: InvalidArgument, naming the value: rows of another dimension than the model's, a number that is not finite.
absl::Status validate(const ModelDelta& delta, int32_t dimension);

}  // namespace bouquet
