#include "tests/cuda_emulation/fiber.h"

#include <sys/mman.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstdlib>

#include "tests/cuda_emulation/sanitizers.h"

namespace emulation {
namespace context = boost::context::detail;

struct Fiber::Entry {
  static void run(context::transfer_t from) {
    auto* self = static_cast<Fiber*>(from.data);
    self->outside_ = from.fctx;
#if defined(EMULATION_ASAN)
    __sanitizer_finish_switch_fiber(nullptr, &self->host_stack_, &self->host_stack_bytes_);
#endif
    for (;;) {
      self->body_(self->argument_);
      self->suspend();
    }
  }
};

Fiber::Fiber(std::size_t stack_bytes, void (*body)(void*), void* argument) : body_(body), argument_(argument), stack_bytes_(stack_bytes) {
  constexpr std::size_t kGuard = 4096;  // a stack that overflows hits an unmapped page
  static std::size_t count = 0;         // tops at different offsets in their page: all would share a cache set
  const std::size_t offset = count++ * 192 % 4096;
  void* pages = mmap(nullptr, stack_bytes + kGuard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages, kGuard, PROT_NONE) != 0) std::abort();
  stack_ = static_cast<char*>(pages) + kGuard;
  char* const top = static_cast<char*>(stack_) + stack_bytes_ - offset;
  inside_ = context::make_fcontext(top, stack_bytes_ - offset, Entry::run);
#if defined(EMULATION_TSAN)
  fiber_context_ = __tsan_create_fiber(0);
#endif
}

void Fiber::resume() {
#if defined(EMULATION_ASAN)
  void* fake_stack;
  __sanitizer_start_switch_fiber(&fake_stack, stack_, stack_bytes_);
#elif defined(EMULATION_TSAN)
  host_context_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(fiber_context_, __tsan_switch_to_fiber_no_sync);
#endif
  inside_ = context::jump_fcontext(inside_, this).fctx;
#if defined(EMULATION_ASAN)
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
}

void Fiber::suspend() {
#if defined(EMULATION_ASAN)
  __sanitizer_start_switch_fiber(&fake_stack_, host_stack_, host_stack_bytes_);
#elif defined(EMULATION_TSAN)
  __tsan_switch_to_fiber(host_context_, __tsan_switch_to_fiber_no_sync);
#endif
  outside_ = context::jump_fcontext(outside_, nullptr).fctx;
#if defined(EMULATION_ASAN)
  __sanitizer_finish_switch_fiber(fake_stack_, &host_stack_, &host_stack_bytes_);
#endif
}

}  // namespace emulation
