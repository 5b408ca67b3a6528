// Tells the emulation's own work from the backend's: tests that count what the backend allocates leave it out.
#pragma once

namespace emulation {

// While one lives, what its thread does is the emulation's own. Every Lock (runtime.h) has one.
class OwnWork {
 public:
  OwnWork() { ++depth_; }
  ~OwnWork() { --depth_; }
  OwnWork(const OwnWork&) = delete;
  OwnWork& operator=(const OwnWork&) = delete;

  static bool running() { return depth_ > 0; }

 private:
  inline static thread_local int depth_ = 0;
};

}  // namespace emulation
