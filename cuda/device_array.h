// Memory: arrays on the device, and pinned ones on the host that copies run fast from and to.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "cuda/check.h"
#include "cuda/stream.h"

namespace bouquet::cuda {

// Owns `size` uninitialised elements of device memory, from the pool of the stream's device. Allocation, copies and release are ordered
// on that stream, which must outlive the array; who uses it on another stream sees to the order himself. Move-only.
template <typename T>
class DeviceArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  DeviceArray() = default;
  DeviceArray(int64_t size, const Stream& stream) : size_(size), stream_(stream.get()) {
    if (size_ != 0) check(cudaMallocFromPoolAsync(reinterpret_cast<void**>(&data_), byte_count(), stream.device().pool(), stream_));
  }
  // With a copy of `host`, which must live until the stream is waited for.
  DeviceArray(std::span<const T> host, const Stream& stream) : DeviceArray(static_cast<int64_t>(host.size()), stream) { upload(host); }
  ~DeviceArray() {
    if (data_ != nullptr) cudaFreeAsync(data_, stream_);
  }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), stream_(other.stream_) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(stream_, other.stream_);
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return size_; }
  int64_t bytes() const { return size_ * static_cast<int64_t>(sizeof(T)); }

  // Asynchronous copies of the first elements. Host memory must live until the stream is waited for. InvalidValue past the end.
  void upload(std::span<const T> host, std::source_location at = std::source_location::current()) {
    copy(data_, host.data(), host, cudaMemcpyHostToDevice, at);
  }
  void download(std::span<T> host, std::source_location at = std::source_location::current()) const {
    copy(host.data(), data_, std::span<const T>(host), cudaMemcpyDeviceToHost, at);
  }
  void fill_bytes(int byte) {
    if (size_ != 0) check(cudaMemsetAsync(data_, byte, byte_count(), stream_));
  }

 private:
  size_t byte_count() const { return static_cast<size_t>(size_) * sizeof(T); }
  void copy(void* to, const void* from, std::span<const T> host, cudaMemcpyKind kind, std::source_location at) const {
    check(static_cast<int64_t>(host.size()) <= size_ ? cudaSuccess : cudaErrorInvalidValue, at);
    if (!host.empty()) check(cudaMemcpyAsync(to, from, host.size_bytes(), kind, stream_), at);
  }

  T* data_ = nullptr;
  int64_t size_ = 0;
  cudaStream_t stream_ = nullptr;
};

// Owns `size` uninitialised elements of page-locked host memory. Move-only. Nothing may still copy from or to it when it is destroyed.
template <typename T>
class PinnedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  PinnedArray() = default;
  // Throws std::bad_alloc, CudaError.
  explicit PinnedArray(int64_t size) : size_(size) {
    if (size_ == 0) return;
    const cudaError_t error = cudaMallocHost(reinterpret_cast<void**>(&data_), static_cast<size_t>(size_) * sizeof(T));
    if (error == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw std::bad_alloc();  // it is the host that has no more
    }
    check(error);
  }
  ~PinnedArray() {
    if (data_ != nullptr) cudaFreeHost(data_);
  }
  PinnedArray(PinnedArray&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PinnedArray& operator=(PinnedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  std::span<T> span() { return {data_, static_cast<size_t>(size_)}; }
  std::span<const T> span() const { return {data_, static_cast<size_t>(size_)}; }
  T& operator[](int64_t i) { return data_[i]; }
  int64_t size() const { return size_; }

 private:
  T* data_ = nullptr;
  int64_t size_ = 0;
};

// Copies through pinned memory to the device, asynchronously: what `pinned` held must have arrived.
template <typename T>
void send(std::span<const std::type_identity_t<T>> from, PinnedArray<T>& pinned, DeviceArray<T>& to) {
  std::ranges::copy(from, pinned.span().begin());
  to.upload(std::as_const(pinned).span().first(from.size()));
}

}  // namespace bouquet::cuda
