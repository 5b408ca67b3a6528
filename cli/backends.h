// The composition root: the one place that knows which backends there are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"

namespace bouquet {

// Every backend this program can know, best first, whether or not this machine can run it.
std::vector<std::string> backend_names();

// Makes the backend called `choice.name`; "auto" takes the best one that is present. Errors: InvalidArgument (no such name),
// Unavailable (known, but not on this machine or not in this build: says which and what to do).
absl::StatusOr<std::unique_ptr<Backend>> make_backend(const BackendChoice& choice);

}  // namespace bouquet
