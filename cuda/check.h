// Errors of the CUDA runtime. Inside cuda/ a failed call throws, so that constructors can fail and owners clean up; nothing leaves
// cuda/ but absl::Status (status.h).
#pragma once

#include <cuda_runtime_api.h>

#include <source_location>
#include <stdexcept>
#include <string>

namespace bouquet::cuda {

// What a failure means to a caller.
enum class Fault {
  kFull,      // memory ran out; everything made before it still works
  kAbsent,    // there is no device or no driver that can be used
  kUnusable,  // the device is there, and this build or this process cannot use it: the message says what to change
  kLost,      // the device, or this process's hold on it, is gone: every later call fails too, only a new process gets it back
  kBug        // a call that makes no sense
};

// What is not known is kLost: whoever serves then goes on without the device.
Fault fault_of(cudaError_t code);

class CudaError : public std::runtime_error {
 public:
  CudaError(Fault fault, const std::string& what) : std::runtime_error(what), fault_(fault) {}
  Fault fault() const { return fault_; }

 private:
  Fault fault_;
};

// What to do about a device that is there and cannot be used; null: that is not what the error says.
const char* way_out(cudaError_t code);

[[noreturn]] void throw_cuda_error(cudaError_t code, std::source_location at);

// Throws CudaError unless the call went well. The message holds the error's name, its text and the place in our sources, and what to do
// about a device that is kUnusable.
inline void check(cudaError_t code, std::source_location at = std::source_location::current()) {
  if (code != cudaSuccess) throw_cuda_error(code, at);
}

}  // namespace bouquet::cuda
