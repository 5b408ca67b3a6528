#include "cuda/device.h"

#include <limits>

#include "cuda/check.h"
#include "cuda/kernels.h"

namespace bouquet::cuda {
namespace {

cudaMemPool_t make_pool(int index) {
  cudaMemPoolProps props = {};
  props.allocType = cudaMemAllocationTypePinned;
  props.location = {cudaMemLocationTypeDevice, index};
  cudaMemPool_t pool = nullptr;
  check(cudaMemPoolCreate(&pool, &props));
  uint64_t keep = std::numeric_limits<uint64_t>::max();  // give nothing back to the driver while the pool lives
  if (const cudaError_t error = cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep); error != cudaSuccess) {
    cudaMemPoolDestroy(pool);
    check(error);
  }
  return pool;
}

}  // namespace

DeviceProperties properties_of(int index) {
  cudaDeviceProp props;
  check(cudaGetDeviceProperties(&props, index));
  return {.index = index,
          .name = props.name,
          .capability = 10 * props.major + props.minor,
          .multiprocessors = props.multiProcessorCount,
          .memory_bytes = static_cast<int64_t>(props.totalGlobalMem),
          .memory_pools = props.memoryPoolsSupported != 0};
}

Device::Device(int index) : properties_(properties_of(index)) {
  use();
  load_kernels();
  pool_ = make_pool(index);
}

Device::~Device() {
  use_to_release();
  cudaMemPoolDestroy(pool_);
}

void Device::use() const { check(cudaSetDevice(properties_.index)); }
void Device::use_to_release() const noexcept { cudaSetDevice(properties_.index); }

int64_t Device::pool_attribute(cudaMemPoolAttr attribute) const {
  use();
  uint64_t bytes = 0;
  check(cudaMemPoolGetAttribute(pool_, attribute, &bytes));
  return static_cast<int64_t>(bytes);
}

int64_t Device::used_bytes() const { return pool_attribute(cudaMemPoolAttrUsedMemCurrent); }
int64_t Device::most_used_bytes() const { return pool_attribute(cudaMemPoolAttrUsedMemHigh); }

void Device::give_back() const {
  use();
  check(cudaMemPoolTrimTo(pool_, 0));
}

int64_t Device::free_bytes() const {
  use();
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total));
  return static_cast<int64_t>(free) + pool_attribute(cudaMemPoolAttrReservedMemCurrent) - used_bytes();
}

}  // namespace bouquet::cuda
