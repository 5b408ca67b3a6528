// What CUDA's opaque handles point to here.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <deque>
#include <functional>

struct CUstream_st {
  std::deque<std::function<void()>> work;
  std::uint64_t queued = 0, done = 0;
  int device = 0;
};

struct CUevent_st {
  cudaStream_t stream = nullptr;
  std::uint64_t after = 0;  // the event has happened once stream->done >= after
  bool keeps_time = true;
  double seconds = 0;  // when it happened
};

struct CUmemPoolHandle_st {
  std::uint64_t used = 0, most_used = 0;
  std::uint64_t reserved = 0;  // of the device, in use or not
  int device = 0;
};
