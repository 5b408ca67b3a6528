// The border of cuda/: where exceptions end and absl::Status begins.
#pragma once

#include <new>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cuda/check.h"
#include "cuda/device.h"

namespace bouquet::cuda {

// ResourceExhausted where memory ran out or the device cannot be used, Unavailable where there is no device, device_lost() where it is
// lost, Internal where it was misused. `doing` says what was being done: "loading the model".
absl::Status to_status(const CudaError& error, const std::string& doing);

// Calls body() with `device` as this thread's device and turns what it throws into a Status. body returns absl::Status or
// absl::StatusOr<T>.
template <typename Body>
auto guarded(const Device& device, const std::string& doing, Body&& body) -> std::invoke_result_t<Body> {
  try {
    device.use();
    return body();
  } catch (const CudaError& error) {
    return to_status(error, doing);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(doing + ": the host's memory ran out");
  }
}

}  // namespace bouquet::cuda
