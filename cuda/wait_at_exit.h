// Host memory that is on its way to or from the device must not go while it is, not even when an exception ends the scope.
#pragma once

#include "cuda/stream.h"

namespace bouquet::cuda {

// Waits for the stream when it is destroyed. Declare it after the host memory that copies use. Ignores errors: who waits on the usual way
// checks them.
class WaitAtExit {
 public:
  explicit WaitAtExit(const Stream& stream) : stream_(stream) {}
  ~WaitAtExit() { cudaStreamSynchronize(stream_.get()); }
  WaitAtExit(const WaitAtExit&) = delete;
  WaitAtExit& operator=(const WaitAtExit&) = delete;

 private:
  const Stream& stream_;
};

}  // namespace bouquet::cuda
