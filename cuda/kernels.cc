#include "cuda/kernels.h"

#include <cuda_runtime_api.h>

#include "cuda/check.h"

namespace bouquet::cuda {

void load_kernels() {
  for (const ListedKernel* listed = ListedKernel::first(); listed != nullptr; listed = listed->next()) {
    cudaFuncAttributes unused;
    check(cudaFuncGetAttributes(&unused, listed->kernel()));
  }
}

}  // namespace bouquet::cuda
