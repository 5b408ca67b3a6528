// The functions of cuBLAS and cuSOLVER that we call, declared by NVIDIA's headers, done by BLAS and LAPACK.
#include <cblas.h>
#include <cublas_v2.h>
#include <cusolverDn.h>
#include <lapacke.h>

#include "tests/cuda_emulation/runtime.h"

struct cublasContext {
  cudaStream_t stream = nullptr;
};
struct cusolverDnContext {
  cudaStream_t stream = nullptr;
};

namespace {

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

// A call that a test has chosen to fail fails as these libraries do.
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

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* out) {
  if (blas_call() != CUBLAS_STATUS_SUCCESS) return CUBLAS_STATUS_ALLOC_FAILED;
  *out = new cublasContext;
  count_handle(1);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  const cublasStatus_t status = blas_call();
  count_handle(-1);
  delete handle;
  return status;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  if (const cublasStatus_t failed = blas_call(); failed != CUBLAS_STATUS_SUCCESS) return failed;
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* stream) {
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                              const float* alpha, const float* a, int lda, const float* b, int ldb, const float* beta, float* c, int ldc) {
  if (const cublasStatus_t failed = blas_call(); failed != CUBLAS_STATUS_SUCCESS) return failed;
  enqueue(handle->stream, [=, alpha = *alpha, beta = *beta] {
    cblas_sgemm(CblasColMajor, transpose(op_a), transpose(op_b), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  });
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSsyrk_v2(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op, int n, int k, const float* alpha,
                              const float* a, int lda, const float* beta, float* c, int ldc) {
  if (const cublasStatus_t failed = blas_call(); failed != CUBLAS_STATUS_SUCCESS) return failed;
  enqueue(handle->stream, [=, alpha = *alpha, beta = *beta] {
    cblas_ssyrk(CblasColMajor, triangle(fill), transpose(op), n, k, alpha, a, lda, beta, c, ldc);
  });
  return CUBLAS_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* out) {
  if (solver_call() != CUSOLVER_STATUS_SUCCESS) return CUSOLVER_STATUS_ALLOC_FAILED;
  *out = new cusolverDnContext;
  count_handle(1);
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle) {
  const cusolverStatus_t status = solver_call();
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

}  // extern "C"
