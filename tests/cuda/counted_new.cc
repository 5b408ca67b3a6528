#include "tests/cuda/counted_new.h"

#include <cstdlib>
#include <new>

#include "tests/cuda_emulation/own_work.h"

namespace bouquet::cuda {
namespace {

thread_local bool counting = false;
thread_local int64_t count = 0;

}  // namespace

void start_counting_new() {
  count = 0;
  counting = true;
}

int64_t stop_counting_new() {
  counting = false;
  return count;
}

void* counted_new(std::size_t size) {
  if (counting && !emulation::OwnWork::running()) ++count;
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace bouquet::cuda

void* operator new(std::size_t size) {
  if (void* memory = bouquet::cuda::counted_new(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return bouquet::cuda::counted_new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
