# The sources of the CUDA backend: nvcc makes the module of them, and g++ the library that the tests run without a GPU.
set(bouquet_cuda_sources
  check.cc
  cuda_training.cc
  device.cc
  factor_array.cc
  gram.cu
  half_step.cc
  half_step_plan.cc
  large_row_systems.cu
  libraries.cc
  memory_table.cc
  objective.cu
  row_moves.cu
  row_systems.cu
  solve_rules.cc
  solve_source.cu
  status.cc)
