// What tests ask of the emulation: to fail a call, to tell another time, and to count what has not been freed.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace emulation {

enum class Failing { kOnce, kFromThenOn };  // a full device recovers, a lost one does not

// Lets the n-th call from now on (1: the next) of the CUDA runtime, cuBLAS or cuSOLVER fail, in whichever thread it is made.
// kFromThenOn: and all after it. n = 0: none fails.
void fail_call(std::int64_t n, cudaError_t error = cudaErrorMemoryAllocation, Failing failing = Failing::kOnce);

// Calls that could have failed since the process started.
std::int64_t calls_made();

// Calls since the process started that act on a device other than the calling thread's: a GPU takes some of them amiss, and others set up
// the thread's device, where nobody wants anything, with some hundred MB.
std::int64_t calls_on_another_device();

// Unloads every kernel, as in a new process: the launch of a kernel that nobody has loaded needs device memory.
void unload_kernels();

// When events happen from now on, in seconds; null: the machine's clock.
void set_event_clock(std::function<double()> seconds);

// What lives. After everything has been destroyed it is what it was before.
struct Living {
  std::size_t allocations, bytes, pinned;
  int streams, events, pools, handles;
  bool operator==(const Living&) const = default;
};
Living living();

// Products of cuBLAS since the process started whose handle had no workspace of the caller's: cuBLAS takes one of its own then.
std::int64_t products_without_workspace();

}  // namespace emulation
