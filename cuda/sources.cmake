# The sources of the CUDA backend: nvcc makes the module of them, and g++ the library that the tests run without a GPU.
set(bouquet_cuda_sources
  check.cc
  device.cc
  libraries.cc
  status.cc)
