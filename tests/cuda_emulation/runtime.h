// What the stand-ins for the CUDA libraries share. All calls are thread-safe.
//
// The environment steers them: EMULATION_SEED=n runs threads and blocks in an order drawn from n (0: in order),
// EMULATION_STREAMS=eager runs work at once, EMULATION_MEMORY=bytes is the size of device memory,
// EMULATION_DEVICES=n is how many devices there are, EMULATION_NO_DEVICE=1 hides them, EMULATION_CAPABILITY=70 makes them old ones,
// EMULATION_DRIVER=11080 their driver (0: none), EMULATION_CODE=80 leaves the program code for newer ones alone, EMULATION_NO_POOLS=1 takes
// memory pools away.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "tests/cuda_emulation/own_work.h"

struct CUstream_st;
struct CUmemPoolHandle_st;

namespace emulation {

// Queues work on the stream. It runs when something waits for the stream, as late as a GPU might: code that forgets to wait sees old
// data, and host memory freed too early is a use after free.
void enqueue(cudaStream_t stream, std::function<void()> work);
void run_all(cudaStream_t stream);
// Until `count` pieces of work have run.
void run_until(cudaStream_t stream, std::uint64_t count);
cudaStream_t resolve(cudaStream_t stream);  // the default stream for null

// Says what a caller of the runtime must not do, and ends the process.
[[noreturn]] void host_misuse(const char* what);

// Device memory is poisoned for AddressSanitizer while no DeviceAccess lives: the host must not touch it.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
};

// Device n's copy of a kernel.
using KernelOnDevice = std::pair<int, const void*>;

struct Runtime {
  std::recursive_mutex mutex;
  std::map<const char*, std::size_t> allocations;      // device memory by address
  std::map<const char*, CUmemPoolHandle_st*> pool_of;  // of those that came from a pool
  std::set<void*> pinned;
  std::size_t used = 0;
  std::size_t idle = 0;  // held by pools without being in use
  int accesses = 0;      // living DeviceAccess objects
  std::set<KernelOnDevice> loaded;
  std::vector<cudaStream_t> streams;  // all that were ever made: an event may name a destroyed one
  int living_streams = 0, living_events = 0, living_pools = 0, living_handles = 0;
};
Runtime& runtime();

class Lock {
 public:
  explicit Lock(std::recursive_mutex& mutex) : lock_(mutex) {}

 private:
  const OwnWork own_;
  const std::lock_guard<std::recursive_mutex> lock_;
};

int capability();  // of the devices, 10 * major + minor

inline constexpr std::size_t kMostShared = 48 << 10;  // of a block, whose kernel has not asked for more

// The calling thread's device. A new thread has the first one.
int current_device();
// For calls that act on device n: counts those of a thread that has another one.
void expect_current(int device);

// Loads a kernel onto the current device, as the runtime does when it is first asked about or launched.
cudaError_t load_kernel(const void* kernel);

int environment_number(const char* name, int otherwise);
std::size_t memory_capacity();
// Whether [p, p + bytes) lies in one allocation of device memory.
bool is_device(const void* p, std::size_t bytes);

// Notes the error as the thread's last one.
cudaError_t noted(cudaError_t error);

// The time of an event that happens now, in seconds.
double event_clock();

// Counts a call of the CUDA runtime, cuBLAS or cuSOLVER that can fail, and says whether it is one that a test has chosen to fail.
// Calls that free or destroy do their work all the same.
cudaError_t counted_call();

}  // namespace emulation
