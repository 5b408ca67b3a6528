// The functions of cuBLAS and cuSOLVER that we call, declared by NVIDIA's headers, done by BLAS and LAPACK.
#include <cblas.h>
#include <cublas_v2.h>
#include <cusolverDn.h>
#include <lapacke.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "tests/cuda_emulation/runtime.h"
#include "tests/cuda_emulation/test_hooks.h"

struct cublasContext {
  int device = emulation::current_device();
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;
  size_t workspace_bytes = 0;
};
struct cusolverDnContext {
  int device = emulation::current_device();
  cudaStream_t stream = nullptr;
};

namespace {

std::atomic<std::int64_t> without_workspace = 0;

CBLAS_TRANSPOSE transpose(cublasOperation_t op) { return op == CUBLAS_OP_N ? CblasNoTrans : CblasTrans; }
CBLAS_UPLO triangle(cublasFillMode_t fill) { return fill == CUBLAS_FILL_MODE_LOWER ? CblasLower : CblasUpper; }
char letter(cublasFillMode_t fill) { return fill == CUBLAS_FILL_MODE_LOWER ? 'L' : 'U'; }

template <typename Work>
void enqueue(cudaStream_t stream, Work work) {
  emulation::enqueue(stream, [=] {
    const emulation::DeviceAccess access;
    work();
  });
}

// What a kernel of cuBLAS does with the workspace that the handle was given: it may write to all of it.
void use_workspace(cublasHandle_t handle) {
  if (handle->workspace == nullptr) {
    ++without_workspace;
    return;
  }
  enqueue(handle->stream, [to = static_cast<char*>(handle->workspace), bytes = handle->workspace_bytes] { to[0] = to[bytes - 1] = 0x5A; });
}

// A call that a test has chosen to fail fails as these libraries do: where they cannot be started, whatever the reason, cuBLAS is not
// initialized, and cuSOLVER has an error inside.
cublasStatus_t blas_call() {
  switch (emulation::counted_call()) {
    case cudaSuccess: return CUBLAS_STATUS_SUCCESS;
    case cudaErrorMemoryAllocation: return CUBLAS_STATUS_ALLOC_FAILED;
    default: return CUBLAS_STATUS_EXECUTION_FAILED;
  }
}
cusolverStatus_t solver_call() {
  switch (emulation::counted_call()) {
    case cudaSuccess: return CUSOLVER_STATUS_SUCCESS;
    case cudaErrorMemoryAllocation: return CUSOLVER_STATUS_ALLOC_FAILED;
    default: return CUSOLVER_STATUS_EXECUTION_FAILED;
  }
}

void count_handle(int change) {
  const emulation::Lock lock(emulation::runtime().mutex);
  emulation::runtime().living_handles += change;
}

// The version that the headers say.
int version_part(libraryPropertyType type, int major, int minor, int patch) {
  return type == MAJOR_VERSION ? major : type == MINOR_VERSION ? minor : patch;
}

}  // namespace

std::int64_t emulation::products_without_workspace() { return without_workspace; }

extern "C" {

cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
  *value = version_part(type, CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR, CUBLAS_VER_PATCH);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasCreate_v2(cublasHandle_t* out) {
  if (blas_call() != CUBLAS_STATUS_SUCCESS) return CUBLAS_STATUS_NOT_INITIALIZED;
  *out = new cublasContext;
  count_handle(1);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  const cublasStatus_t status = blas_call();
  emulation::expect_current(handle->device);
  count_handle(-1);
  delete handle;
  return status;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  if (const cublasStatus_t failed = blas_call(); failed != CUBLAS_STATUS_SUCCESS) return failed;
  handle->stream = stream;
  handle->workspace = nullptr;  // back to the library's own
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
  if (const cublasStatus_t failed = blas_call(); failed != CUBLAS_STATUS_SUCCESS) return failed;
  const emulation::Lock lock(emulation::runtime().mutex);
  constexpr std::uintptr_t kAlignment = 256;
  if (reinterpret_cast<std::uintptr_t>(workspace) % kAlignment != 0 || bytes == 0 || !emulation::is_device(workspace, bytes))
    return CUBLAS_STATUS_INVALID_VALUE;
  handle->workspace = workspace;
  handle->workspace_bytes = bytes;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* stream) {
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                              const float* alpha, const float* a, int lda, const float* b, int ldb, const float* beta, float* c, int ldc) {
  if (const cublasStatus_t failed = blas_call(); failed != CUBLAS_STATUS_SUCCESS) return failed;
  use_workspace(handle);
  enqueue(handle->stream, [=, alpha = *alpha, beta = *beta] {
    cblas_sgemm(CblasColMajor, transpose(op_a), transpose(op_b), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  });
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSsyrk_v2(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op, int n, int k, const float* alpha,
                              const float* a, int lda, const float* beta, float* c, int ldc) {
  if (const cublasStatus_t failed = blas_call(); failed != CUBLAS_STATUS_SUCCESS) return failed;
  use_workspace(handle);
  enqueue(handle->stream, [=, alpha = *alpha, beta = *beta] {
    cblas_ssyrk(CblasColMajor, triangle(fill), transpose(op), n, k, alpha, a, lda, beta, c, ldc);
  });
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDgemmStridedBatched(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                                         const double* alpha, const double* a, int lda, long long stride_a, const double* b, int ldb,
                                         long long stride_b, const double* beta, double* c, int ldc, long long stride_c, int count) {
  if (const cublasStatus_t failed = blas_call(); failed != CUBLAS_STATUS_SUCCESS) return failed;
  use_workspace(handle);
  enqueue(handle->stream, [=, alpha = *alpha, beta = *beta] {
    for (int i = 0; i < count; ++i)
      cblas_dgemm(CblasColMajor, transpose(op_a), transpose(op_b), m, n, k, alpha, a + i * stride_a, lda, b + i * stride_b, ldb, beta,
                  c + i * stride_c, ldc);
  });
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDtrsm_v2(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill, cublasOperation_t op,
                              cublasDiagType_t diagonal, int m, int n, const double* alpha, const double* a, int lda, double* b, int ldb) {
  if (const cublasStatus_t failed = blas_call(); failed != CUBLAS_STATUS_SUCCESS) return failed;
  use_workspace(handle);
  enqueue(handle->stream, [=, alpha = *alpha] {
    cblas_dtrsm(CblasColMajor, side == CUBLAS_SIDE_LEFT ? CblasLeft : CblasRight, triangle(fill), transpose(op),
                diagonal == CUBLAS_DIAG_UNIT ? CblasUnit : CblasNonUnit, m, n, alpha, a, lda, b, ldb);
  });
  return CUBLAS_STATUS_SUCCESS;
}

cusolverStatus_t cusolverGetProperty(libraryPropertyType type, int* value) {
  *value = version_part(type, CUSOLVER_VER_MAJOR, CUSOLVER_VER_MINOR, CUSOLVER_VER_PATCH);
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* out) {
  if (solver_call() != CUSOLVER_STATUS_SUCCESS) return CUSOLVER_STATUS_INTERNAL_ERROR;
  *out = new cusolverDnContext;
  count_handle(1);
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle) {
  const cusolverStatus_t status = solver_call();
  emulation::expect_current(handle->device);
  count_handle(-1);
  delete handle;
  return status;
}
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream) {
  if (const cusolverStatus_t failed = solver_call(); failed != CUSOLVER_STATUS_SUCCESS) return failed;
  handle->stream = stream;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnSpotrf_bufferSize(cusolverDnHandle_t, cublasFillMode_t, int n, float*, int, int* size) {
  if (const cusolverStatus_t failed = solver_call(); failed != CUSOLVER_STATUS_SUCCESS) return failed;
  *size = n;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnSpotrf(cusolverDnHandle_t handle, cublasFillMode_t fill, int n, float* a, int lda, float*, int, int* info) {
  if (const cusolverStatus_t failed = solver_call(); failed != CUSOLVER_STATUS_SUCCESS) return failed;
  enqueue(handle->stream, [=] { *info = LAPACKE_spotrf_work(LAPACK_COL_MAJOR, letter(fill), n, a, lda); });
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnSpotrs(cusolverDnHandle_t handle, cublasFillMode_t fill, int n, int columns, const float* a, int lda, float* b,
                                  int ldb, int* info) {
  if (const cusolverStatus_t failed = solver_call(); failed != CUSOLVER_STATUS_SUCCESS) return failed;
  enqueue(handle->stream, [=] { *info = LAPACKE_spotrs_work(LAPACK_COL_MAJOR, letter(fill), n, columns, a, lda, b, ldb); });
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnDpotrf_bufferSize(cusolverDnHandle_t, cublasFillMode_t, int n, double*, int, int* size) {
  if (const cusolverStatus_t failed = solver_call(); failed != CUSOLVER_STATUS_SUCCESS) return failed;
  *size = n;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDpotrf(cusolverDnHandle_t handle, cublasFillMode_t fill, int n, double* a, int lda, double*, int, int* info) {
  if (const cusolverStatus_t failed = solver_call(); failed != CUSOLVER_STATUS_SUCCESS) return failed;
  enqueue(handle->stream, [=] { *info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, letter(fill), n, a, lda); });
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnDsyevd_bufferSize(cusolverDnHandle_t, cusolverEigMode_t, cublasFillMode_t, int n, const double*, int,
                                             const double*, int* size) {
  if (const cusolverStatus_t failed = solver_call(); failed != CUSOLVER_STATUS_SUCCESS) return failed;
  *size = 2 * n * n + 6 * n + 1;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDsyevd(cusolverDnHandle_t handle, cusolverEigMode_t mode, cublasFillMode_t fill, int n, double* a, int lda,
                                  double* values, double* work, int work_size, int* info) {
  if (const cusolverStatus_t failed = solver_call(); failed != CUSOLVER_STATUS_SUCCESS) return failed;
  enqueue(handle->stream, [=] {
    std::vector<int> indices(static_cast<size_t>(5 * n + 3));
    *info = LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, mode == CUSOLVER_EIG_MODE_VECTOR ? 'V' : 'N', letter(fill), n, a, lda, values, work,
                                work_size, indices.data(), static_cast<int>(indices.size()));
  });
  return CUSOLVER_STATUS_SUCCESS;
}

}  // extern "C"
