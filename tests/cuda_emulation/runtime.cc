#include "tests/cuda_emulation/runtime.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "tests/cuda_emulation/handles.h"
#include "tests/cuda_emulation/sanitizers.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace emulation {
namespace {

thread_local cudaError_t last_error = cudaSuccess;

struct Injection {
  std::int64_t made = 0;
  std::int64_t fails_at = 0;  // by `made`; 0: none
  cudaError_t error = cudaSuccess;
  Failing failing = Failing::kOnce;
};
Injection injection;                   // guarded by the runtime's mutex, and so is
std::function<double()> chosen_clock;  // null: the machine's

}  // namespace

Runtime& runtime() {
  static auto* const the_one = new Runtime;  // never destroyed: static objects may still free memory
  return *the_one;
}

cudaStream_t resolve(cudaStream_t stream) {
  static auto* const default_stream = new CUstream_st;
  return stream != nullptr ? stream : default_stream;
}

void run_until(cudaStream_t stream, std::uint64_t count) {
  while (stream->done < count) {
    auto work = std::move(stream->work.front());
    stream->work.pop_front();
    work();
    ++stream->done;
  }
}

void host_misuse(const char* what) {
  std::fprintf(stderr, "CUDA misuse: %s\n", what);
  std::abort();
}

void enqueue(cudaStream_t stream, std::function<void()> work) {
  const Lock lock(runtime().mutex);
  if (stream == nullptr) host_misuse("work on the legacy default stream, which all of the process waits for");
  stream->work.push_back(std::move(work));
  ++stream->queued;
  const char* mode = std::getenv("EMULATION_STREAMS");
  if (mode != nullptr && mode == std::string_view("eager")) run_until(stream, stream->queued);
}

void run_all(cudaStream_t stream) {
  const Lock lock(runtime().mutex);
  stream = resolve(stream);
  run_until(stream, stream->queued);
}

DeviceAccess::DeviceAccess() {
  runtime().mutex.lock();
  if (runtime().accesses++ == 0)
    for (const auto& [begin, bytes] : runtime().allocations) unpoison(begin, bytes);
}
DeviceAccess::~DeviceAccess() {
  if (--runtime().accesses == 0)
    for (const auto& [begin, bytes] : runtime().allocations) poison(begin, bytes);
  runtime().mutex.unlock();
}

std::size_t memory_capacity() {
  const char* bytes = std::getenv("EMULATION_MEMORY");
  return bytes != nullptr ? std::strtoull(bytes, nullptr, 10) : std::size_t{4} << 30;
}

bool is_device(const void* p, std::size_t bytes) {
  const auto* address = static_cast<const char*>(p);
  const auto& allocations = runtime().allocations;
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin()) return false;
  const auto& [begin, size] = *--after;
  return address + bytes <= begin + size;
}

cudaError_t noted(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t counted_call() {
  const Lock lock(runtime().mutex);
  const std::int64_t call = ++injection.made;
  if (injection.fails_at == 0 || call < injection.fails_at) return cudaSuccess;
  if (injection.failing == Failing::kOnce && call > injection.fails_at) return cudaSuccess;
  return noted(injection.error);
}

void fail_call(std::int64_t n, cudaError_t error, Failing failing) {
  const Lock lock(runtime().mutex);
  injection.fails_at = n == 0 ? 0 : injection.made + n;
  injection.error = error;
  injection.failing = failing;
}

std::int64_t calls_made() {
  const Lock lock(runtime().mutex);
  return injection.made;
}

void set_event_clock(std::function<double()> seconds) {
  const Lock lock(runtime().mutex);
  chosen_clock = std::move(seconds);
}

double event_clock() {
  const Lock lock(runtime().mutex);
  if (chosen_clock) return chosen_clock();
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Living living() {
  const Lock lock(runtime().mutex);
  const Runtime& r = runtime();
  return {r.allocations.size(), r.used, r.pinned.size(), r.living_streams, r.living_events, r.living_pools, r.living_handles};
}

}  // namespace emulation

extern "C" {

cudaError_t cudaGetLastError() { return std::exchange(emulation::last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return emulation::last_error; }

}  // extern "C"
