// The GPU that a backend computes on, and the memory pool that everything on it comes from.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

namespace bouquet::cuda {

inline constexpr int kOldestCapability = 75;  // compute capability 7.5: Turing

// One device of this machine as the runtime describes it.
struct DeviceProperties {
  int index = 0;
  std::string name;
  int capability = 0;  // 10 * major + minor
  int multiprocessors = 0;
  int64_t memory_bytes = 0;
  bool memory_pools = true;
};

// Throws CudaError.
DeviceProperties properties_of(int index);

// Move-free, shared by all that is made on the device, where all kernels are loaded (kernels.h). Owns its memory pool, which keeps what was
// freed, so that the next model or ranker gets its memory without asking the driver. Thread-safe.
class Device {
 public:
  explicit Device(int index);  // throws CudaError
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const DeviceProperties& properties() const { return properties_; }
  cudaMemPool_t pool() const { return pool_; }

  // Makes this the calling thread's device: the first thing at every entry to cuda/. Throws CudaError.
  void use() const;
  // The same for destructors, which run on any thread, and where nobody hears of failures. Whoever holds streams, arrays or handles of the
  // device calls it before they go: some calls act on the thread's device whatever they are given, and set it up where it is another one.
  void use_to_release() const noexcept;

  // Bytes of the pool that are in use, now and at most so far. Throws CudaError.
  int64_t used_bytes() const;
  int64_t most_used_bytes() const;
  // Bytes that can still be allocated: free on the device, and held by the pool without being in use. Throws CudaError.
  int64_t free_bytes() const;
  // Lets others on the device have what the pool holds without using it: libraries do not allocate from it. Throws CudaError.
  void give_back() const;

 private:
  int64_t pool_attribute(cudaMemPoolAttr attribute) const;

  DeviceProperties properties_;
  cudaMemPool_t pool_ = nullptr;
};

}  // namespace bouquet::cuda
