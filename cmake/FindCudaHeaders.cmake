# Finds NVIDIA's headers, which the emulation of tests/cuda_emulation compiles the CUDA backend with: in a toolkit, or else in the wheels
# of cmake/requirements-cuda-headers.txt. Result: CudaHeaders_FOUND, CudaHeaders_INCLUDE_DIRS.
find_path(CudaHeaders_RUNTIME cuda_runtime.h HINTS ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES include)
if(NOT CudaHeaders_RUNTIME)
  find_package(Python3 COMPONENTS Interpreter QUIET)
  execute_process(COMMAND ${Python3_EXECUTABLE} -c "import nvidia;print(';'.join(nvidia.__path__),end='')"
    OUTPUT_VARIABLE _wheels RESULT_VARIABLE _result ERROR_QUIET)
  if(_result EQUAL 0)
    set(_roots)
    foreach(_wheel IN LISTS _wheels)
      file(GLOB _found ${_wheel}/*/include)
      list(APPEND _roots ${_found})
    endforeach()
    find_path(CudaHeaders_RUNTIME cuda_runtime.h PATHS ${_roots} NO_DEFAULT_PATH)
  endif()
endif()
find_path(CudaHeaders_BLAS cublas_v2.h HINTS ${CudaHeaders_RUNTIME} PATHS ${_roots} NO_DEFAULT_PATH)
find_path(CudaHeaders_SOLVER cusolverDn.h HINTS ${CudaHeaders_RUNTIME} PATHS ${_roots} NO_DEFAULT_PATH)
find_path(CudaHeaders_CCCL thrust/version.h HINTS ${CudaHeaders_RUNTIME}/cccl ${CudaHeaders_RUNTIME} PATHS ${_roots}
  PATH_SUFFIXES cccl NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CudaHeaders
  REQUIRED_VARS CudaHeaders_RUNTIME CudaHeaders_BLAS CudaHeaders_SOLVER CudaHeaders_CCCL)
if(CudaHeaders_FOUND)
  set(CudaHeaders_INCLUDE_DIRS ${CudaHeaders_CCCL} ${CudaHeaders_RUNTIME} ${CudaHeaders_BLAS} ${CudaHeaders_SOLVER})
  list(REMOVE_DUPLICATES CudaHeaders_INCLUDE_DIRS)
endif()
