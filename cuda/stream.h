// Streams and events. Every call names its stream; nothing uses the legacy default stream.
#pragma once

#include <cuda_runtime_api.h>

#include <utility>

#include "cuda/check.h"
#include "cuda/device.h"

namespace bouquet::cuda {

// Owns a stream of `device`, which must outlive it. Move-only. The destructor waits for what the stream still holds.
class Stream {
 public:
  explicit Stream(const Device& device) : device_(&device) {
    device.use();
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  }
  ~Stream() {
    if (stream_ == nullptr) return;
    cudaStreamSynchronize(stream_);
    cudaStreamDestroy(stream_);
  }
  Stream(Stream&& other) noexcept : device_(other.device_), stream_(std::exchange(other.stream_, nullptr)) {}
  Stream& operator=(Stream&&) = delete;

  cudaStream_t get() const { return stream_; }
  const Device& device() const { return *device_; }
  void synchronize() const { check(cudaStreamSynchronize(stream_)); }

 private:
  const Device* device_;
  cudaStream_t stream_ = nullptr;
};

enum class Timing { kOff, kOn };

// Owns an event. Move-only.
class Event {
 public:
  explicit Event(Timing timing = Timing::kOff) {
    check(cudaEventCreateWithFlags(&event_, timing == Timing::kOn ? cudaEventDefault : cudaEventDisableTiming));
  }
  ~Event() {
    if (event_ != nullptr) cudaEventDestroy(event_);
  }
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  Event& operator=(Event&&) = delete;

  void record(const Stream& stream) { check(cudaEventRecord(event_, stream.get())); }
  // Blocks until what was recorded has happened; at once where nothing was.
  void synchronize() const { check(cudaEventSynchronize(event_)); }
  void make_wait(const Stream& stream) const { check(cudaStreamWaitEvent(stream.get(), event_, 0)); }
  // Between two events made with Timing::kOn that have happened.
  double seconds_since(const Event& begin) const {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin.event_, event_));
    return milliseconds * 1e-3;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace bouquet::cuda
