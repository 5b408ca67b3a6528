#include "tests/cuda_emulation/misuse.h"

#include <cstdio>
#include <vector>

#include "cuda/device_array.h"
#include "cuda/device_ops.h"
#include "cuda/launch.h"

namespace bouquet::cuda {
namespace {

constexpr int kThreads = 64;

__global__ void divergent_barrier(int* out) {
  if (threadIdx.x < 32) {
    out[threadIdx.x] = 0;
    __syncthreads();
  } else {
    __syncthreads();
  }
}
__global__ void missing_barrier(int* out) {
  if (threadIdx.x == 5) return;
  __syncthreads();
  out[threadIdx.x] = 0;
}
__global__ void shuffle_without_all_lanes(int* out) {
  if (threadIdx.x % 2 == 0) out[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFF, int(threadIdx.x), 2);
}
__global__ void shuffle_from_outside_mask(int* out) {
  if (threadIdx.x % 32 < 16) out[threadIdx.x] = __shfl_down_sync(0xFFFF, int(threadIdx.x), 1);
}
__global__ void different_masks(int* out) { out[threadIdx.x] = __any_sync(threadIdx.x % 32 == 0 ? 3u : 0xFFFFFFFFu, 1); }
__global__ void no_wait_for_copy(int* out) {
  __shared__ __align__(16) int tile[4];
  if (threadIdx.x == 0) copy_async(tile, out);
  copy_async_commit();
}
__global__ void misaligned_copy(int* out) {
  __shared__ __align__(16) int tile[8];
  copy_async(tile + 1, out);
}
__global__ void uninitialised_local(int* out) {
  int values[2];
  values[threadIdx.x % 2] = 0;
  out[threadIdx.x] = values[(threadIdx.x + 1) % 2];
}
__global__ void uninitialised_shared(int* out) {
  __shared__ int count;
  atomicAdd(&count, 1);
  __syncthreads();
  out[threadIdx.x] = count;
}
__global__ void decrement(int* out) { --out[threadIdx.x]; }
__global__ void shared_overflow(int* out) {
  __shared__ int tile[kThreads];
  tile[threadIdx.x] = 0;
  __syncthreads();
  const int* next = tile + 1;
  out[threadIdx.x] = next[threadIdx.x];
}
__global__ void dynamic_shared_overflow(int* out) {
  int* tile = dynamic_shared<int>();
  tile[threadIdx.x + 1] = 0;
  out[threadIdx.x] = 0;
}
__global__ void global_overflow(int* out) { out[threadIdx.x + 1] = 0; }
__global__ void misaligned_vector(int* out) { *reinterpret_cast<int4*>(out + 1) = make_int4(1, 2, 3, 4); }
__global__ void shared_race(int* out) {
  __shared__ int tile[kThreads];
  tile[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
}
__global__ void warp_race(int* out) {  // a shuffle orders no memory, __syncwarp does
  __shared__ int tile[kThreads];
  tile[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFF, int(threadIdx.x), 1);
  out[threadIdx.x] = tile[threadIdx.x ^ 1];
}
__global__ void global_race(int* out) { out[threadIdx.x / 2] += 1; }

struct Misuse {
  std::string_view name;
  void (*start)(const Stream& stream, int* out);
};
template <void (*kKernel)(int*)>
void start(const Stream& stream, int* out) {
  launch<kKernel>(stream, {dim3(2), dim3(kThreads), kThreads * sizeof(int)}, out);
}
constexpr Misuse kKernels[] = {{"divergent_barrier", start<divergent_barrier>},
                               {"missing_barrier", start<missing_barrier>},
                               {"shuffle_without_all_lanes", start<shuffle_without_all_lanes>},
                               {"shuffle_from_outside_mask", start<shuffle_from_outside_mask>},
                               {"different_masks", start<different_masks>},
                               {"no_wait_for_copy", start<no_wait_for_copy>},
                               {"misaligned_copy", start<misaligned_copy>},
                               {"uninitialised_local", start<uninitialised_local>},
                               {"uninitialised_shared", start<uninitialised_shared>},
                               {"uninitialised_global", start<decrement>},
                               {"shared_overflow", start<shared_overflow>},
                               {"dynamic_shared_overflow", start<dynamic_shared_overflow>},
                               {"global_overflow", start<global_overflow>},
                               {"misaligned_vector", start<misaligned_vector>},
                               {"shared_race", start<shared_race>},
                               {"warp_race", start<warp_race>},
                               {"global_race", start<global_race>}};

int* freed(const Stream& stream) { return DeviceArray<int>(kThreads, stream).data(); }

// Misuses of the runtime rather than of a kernel.
bool misuse_runtime(std::string_view name, const Stream& stream, DeviceArray<int>& out, std::vector<int>& back) {
  const LaunchShape shape{dim3(2), dim3(kThreads)};
  cudaStream_t blocking = nullptr;
  if (name == "too_many_threads")
    launch<decrement>(stream, {dim3(1), dim3(2048)}, out.data());
  else if (name == "too_much_shared")
    launch<decrement>(stream, {dim3(1), dim3(32), 300 << 10}, out.data());
  else if (name == "use_after_free")
    launch<decrement>(stream, shape, freed(stream));
  else if (name == "host_pointer")
    launch<decrement>(stream, shape, back.data());
  else if (name == "host_reads_device")
    std::printf("%d\n", *out.data());
  else if (name == "copy_past_the_end")
    check(cudaMemcpyAsync(out.data() + 1, back.data(), kThreads * sizeof(int), cudaMemcpyHostToDevice, stream.get()));
  else if (name == "default_stream")
    check(cudaMemsetAsync(out.data(), 0, sizeof(int), nullptr));
  else if (name == "blocking_stream")
    check(cudaStreamCreateWithFlags(&blocking, cudaStreamDefault));
  else
    return name == "forgotten_synchronize";
  return true;
}

}  // namespace

bool run_misuse(std::string_view name) {
  const Device device(0);
  const Stream stream(device);
  DeviceArray<int> out(kThreads, stream);
  std::vector<int> back(kThreads, -1);
  bool known = false;
  for (const Misuse& misuse : kKernels) {
    if (misuse.name != name) continue;
    misuse.start(stream, out.data());
    known = true;
  }
  known = known || misuse_runtime(name, stream, out, back);
  const bool forgets = name == "forgotten_synchronize";
  if (forgets) out.fill_bytes(0);
  out.download(back);
  if (!forgets) stream.synchronize();
  if (back[0] < 0 || back[0] == kThreads - 1) std::printf("garbage: %d\n", back[0]);
  return known;
}

}  // namespace bouquet::cuda
