// OpenBLAS is called with one thread: the threads are ours, and the bits are the same wherever a call comes from.
#pragma once

extern "C" void openblas_set_num_threads(int threads);

namespace bouquet {

// Before any call of BLAS or LAPACK. Thread-safe, cheap after the first time.
inline void use_one_blas_thread() {
  static const bool done = (openblas_set_num_threads(1), true);
  static_cast<void>(done);
}

}  // namespace bouquet
