// Memory: libcudart's functions that we call. Device memory is host memory that starts as garbage and that only kernels and copies
// may touch.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tests/cuda_emulation/handles.h"
#include "tests/cuda_emulation/runtime.h"
#include "tests/cuda_emulation/sanitizers.h"

namespace emulation {
namespace {

constexpr std::size_t kAlignment = 256;

cudaError_t allocate(void** out, std::size_t bytes, cudaMemPool_t pool) {
  *out = nullptr;
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  if (bytes == 0) return cudaSuccess;
  const std::size_t own_idle = pool == nullptr ? 0 : pool->reserved - pool->used;
  const std::size_t fresh = bytes - std::min(bytes, own_idle);  // that no pool has yet
  const std::size_t taken = runtime().used + runtime().idle;
  if (fresh > 0 && (fresh > memory_capacity() || taken > memory_capacity() - fresh)) return noted(cudaErrorMemoryAllocation);
  if (posix_memalign(out, kAlignment, bytes) != 0) return noted(cudaErrorMemoryAllocation);
  std::memset(*out, 0xFF, bytes);  // garbage: NaN, or an index of -1
  runtime().allocations.emplace(static_cast<char*>(*out), bytes);
  runtime().used += bytes;
  if (pool != nullptr) {
    runtime().pool_of.emplace(static_cast<char*>(*out), pool);
    pool->used += bytes;
    pool->most_used = std::max(pool->most_used, pool->used);
    pool->reserved += fresh;
    runtime().idle -= bytes - fresh;
  }
  if (runtime().accesses == 0) poison(*out, bytes);
  return cudaSuccess;
}

cudaError_t release_memory(void* p) {
  const auto found = runtime().allocations.find(static_cast<char*>(p));
  if (found == runtime().allocations.end()) return noted(cudaErrorInvalidValue);
  unpoison(p, found->second);
  runtime().used -= found->second;
  if (const auto pool = runtime().pool_of.find(static_cast<char*>(p)); pool != runtime().pool_of.end()) {
    pool->second->used -= found->second;
    runtime().idle += found->second;
    runtime().pool_of.erase(pool);
  }
  runtime().allocations.erase(found);
  std::free(p);
  return cudaSuccess;
}

bool touches_device(const void* p) { return is_device(p, 1); }

cudaError_t check_copy(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0 || kind == cudaMemcpyDefault || kind == cudaMemcpyHostToHost) return cudaSuccess;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  const bool fits =
      (to_device ? is_device(to, bytes) : !touches_device(to)) && (from_device ? is_device(from, bytes) : !touches_device(from));
  return fits ? cudaSuccess : noted(cudaErrorInvalidValue);
}

}  // namespace
}  // namespace emulation

using namespace emulation;

extern "C" {

cudaError_t cudaMallocAsync(void** out, size_t bytes, cudaStream_t) { return allocate(out, bytes, nullptr); }
cudaError_t cudaMallocFromPoolAsync(void** out, size_t bytes, cudaMemPool_t pool, cudaStream_t) { return allocate(out, bytes, pool); }
cudaError_t cudaMalloc(void** out, size_t bytes) { return allocate(out, bytes, nullptr); }
cudaError_t cudaFreeAsync(void* p, cudaStream_t stream) {
  const cudaError_t error = counted_call();
  expect_current(resolve(stream)->device);
  enqueue(stream, [=] { release_memory(p); });
  return error;
}
cudaError_t cudaFree(void* p) {
  const cudaError_t error = counted_call();
  const Lock lock(runtime().mutex);
  cudaDeviceSynchronize();
  const cudaError_t freed = p == nullptr ? cudaSuccess : release_memory(p);
  return error != cudaSuccess ? error : freed;
}
cudaError_t cudaMallocHost(void** out, size_t bytes) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  if (posix_memalign(out, kAlignment, bytes) != 0) return noted(cudaErrorMemoryAllocation);
  runtime().pinned.insert(*out);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* p) {
  const cudaError_t error = counted_call();
  const Lock lock(runtime().mutex);
  run_all(nullptr);
  for (cudaStream_t stream : runtime().streams) run_all(stream);
  runtime().pinned.erase(p);
  std::free(p);
  return error;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  *total = memory_capacity();
  *free = *total - std::min(*total, runtime().used + runtime().idle);
  return cudaSuccess;
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* out, const cudaMemPoolProps* props) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  if (props->allocType != cudaMemAllocationTypePinned || props->location.type != cudaMemLocationTypeDevice ||
      props->location.id != current_device())
    return noted(cudaErrorInvalidValue);
  if (std::getenv("EMULATION_NO_POOLS") != nullptr) return noted(cudaErrorNotSupported);
  *out = new CUmemPoolHandle_st;
  (*out)->device = current_device();
  ++runtime().living_pools;
  return cudaSuccess;
}
// A pool that still owns memory is a leak, and stays.
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  const cudaError_t error = counted_call();
  const Lock lock(runtime().mutex);
  expect_current(pool->device);
  if (pool->used != 0) return noted(cudaErrorInvalidValue);
  runtime().idle -= pool->reserved;
  --runtime().living_pools;
  delete pool;
  return error;
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t bytes) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  expect_current(pool->device);
  const Lock lock(runtime().mutex);
  const std::uint64_t kept = std::max<std::uint64_t>(pool->used, std::min<std::uint64_t>(pool->reserved, bytes));
  runtime().idle -= pool->reserved - kept;
  pool->reserved = kept;
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return counted_call(); }
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* out) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  expect_current(pool->device);
  const Lock lock(runtime().mutex);
  auto* const value = static_cast<std::uint64_t*>(out);
  switch (attribute) {
    case cudaMemPoolAttrUsedMemCurrent: *value = pool->used; return cudaSuccess;
    case cudaMemPoolAttrReservedMemCurrent: *value = pool->reserved; return cudaSuccess;
    case cudaMemPoolAttrUsedMemHigh: *value = pool->most_used; return cudaSuccess;
    default: return noted(cudaErrorInvalidValue);
  }
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  if (const cudaError_t error = check_copy(to, from, bytes, kind); error != cudaSuccess) return error;
  if (bytes == 0) return cudaSuccess;
  enqueue(stream, [=] {
    const DeviceAccess access;
    std::memcpy(to, from, bytes);
  });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t stream) {
  if (const cudaError_t error = counted_call(); error != cudaSuccess) return error;
  const Lock lock(runtime().mutex);
  if (bytes != 0 && !is_device(p, bytes)) return noted(cudaErrorInvalidValue);
  enqueue(stream, [=] {
    const DeviceAccess access;
    std::memset(p, value, bytes);
  });
  return cudaSuccess;
}

}  // extern "C"
