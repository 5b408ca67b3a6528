// Names stretches of the host's time line for Nsight Systems (docs/profiling.md). Does nothing where NVTX's header is absent or no tool
// listens.
#pragma once

#if __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>
#endif

namespace bouquet::cuda {

// From construction to destruction, on this thread. Ranges nest.
class NvtxRange {
 public:
  explicit NvtxRange([[maybe_unused]] const char* name) {
#if __has_include(<nvtx3/nvToolsExt.h>)
    nvtxRangePushA(name);
#endif
  }
  ~NvtxRange() {
#if __has_include(<nvtx3/nvToolsExt.h>)
    nvtxRangePop();
#endif
  }
  NvtxRange(const NvtxRange&) = delete;
  NvtxRange& operator=(const NvtxRange&) = delete;
};

}  // namespace bouquet::cuda
