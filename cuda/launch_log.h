// Which kernels a process has started, for the results of a machine with a GPU (.ci/run_on_gpu).
//
// BOUQUET_LAUNCH_LOG=FILE: FILE is written when the process ends, a line per kernel and source file: file, kernel (without its template
// arguments), launches, seconds, with tabs between. The seconds are 0 unless BOUQUET_LAUNCH_TIMES=1: then they are the device's, and every
// launch is waited for, so that nothing else may be measured in that process.
#pragma once

#include <optional>
#include <source_location>

#include "cuda/stream.h"

namespace bouquet::cuda {

// Around one launch. Does nothing where no log is wanted. Thread-safe as the stream is.
class LoggedLaunch {
 public:
  explicit LoggedLaunch(const Stream& stream);
  // The kernel was started at that place of the sources. Throws CudaError.
  void started(const void* kernel, std::source_location at);

 private:
  const Stream& stream_;
  std::optional<Event> begin_;
};

}  // namespace bouquet::cuda
