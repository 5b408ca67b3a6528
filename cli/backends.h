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

// Makes the backend called `choice.name`; "auto" takes the best one that is present, and passes over one only where it is absent: where
// there is a driver all the same, or an option is of the other backend, it says so on stderr.
// Errors: InvalidArgument (no such name or device), Unimplemented (an option of another backend than the one that is named), Unavailable
// (known, but not on this machine or not in this build: says which and what to do), ResourceExhausted (a module of another build or none, a
// driver or device that is too old, missing libraries), Internal (a broken device).
absl::StatusOr<std::unique_ptr<Backend>> make_backend(const BackendChoice& choice);

}  // namespace bouquet
