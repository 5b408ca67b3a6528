#pragma once

#include <cstddef>

namespace emulation {

// A stack of its own on which `body` is called again and again. Both sanitizers are told of each switch.
class Fiber {
 public:
  Fiber(std::size_t stack_bytes, void (*body)(void*), void* argument);
  Fiber(const Fiber&) = delete;

  void resume();   // from the host's stack: runs the fiber until it suspends or body returns
  void suspend();  // from the fiber: returns from resume()

 private:
  struct Entry;
  void (*body_)(void*);
  void* argument_;
  void* inside_;             // where the fiber goes on
  void* outside_ = nullptr;  // where its resumer goes on
  void* stack_;
  std::size_t stack_bytes_;
  void* fake_stack_ = nullptr;        // AddressSanitizer
  const void* host_stack_ = nullptr;  // AddressSanitizer
  std::size_t host_stack_bytes_ = 0;  // AddressSanitizer
  void* fiber_context_ = nullptr;     // ThreadSanitizer
  void* host_context_ = nullptr;      // ThreadSanitizer
};

}  // namespace emulation
