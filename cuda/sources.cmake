# The sources of the CUDA backend: nvcc makes the module of them, and g++ the library that the tests run without a GPU.
set(bouquet_cuda_sources
  check.cc
  cuda_backend.cc
  cuda_model.cc
  cuda_ranker.cc
  device.cc
  device_model.cc
  devices.cc
  libraries.cc
  rank_plan.cc
  restriction_staging.cc
  score_kernels.cu
  status.cc
  top_k_kernels.cu)
