// The attribute step when calls of the CUDA runtime fail.
#include <gtest/gtest.h>

#include <cstdint>
#include <new>

#include "cuda/check.h"
#include "cuda/solve_rules.h"
#include "tests/cuda/attribute_side.h"
#include "tests/cuda_emulation/test_hooks.h"

namespace bouquet::cuda {
namespace {

TEST(AttributeStepOnTheDevice, LeavesNothingBehindWhenACallFails) {
  const auto fit_all = [](int64_t direct_columns) -> absl::Status {
    try {
      return fit(Side({10, 2, 3, 5}), direct_columns, 1000).status();  // few iterations
    } catch (const CudaError&) {
      return absl::AbortedError("");
    } catch (const std::bad_alloc&) {
      return absl::AbortedError("");
    }
  };
  for (const int64_t direct_columns : {kDirectAttributeColumns, int64_t{0}}) {
    const auto first_call = emulation::calls_made();
    ASSERT_TRUE(fit_all(direct_columns).ok());
    const auto calls = emulation::calls_made() - first_call;
    ASSERT_GT(calls, 30);
    const auto living = emulation::living();
    int64_t failures = 0;
    for (int64_t n = 1; n <= calls; ++n) {
      emulation::fail_call(n, cudaErrorMemoryAllocation, emulation::Failing::kOnce);
      failures += fit_all(direct_columns).ok() ? 0 : 1;
      emulation::fail_call(0);
      ASSERT_EQ(emulation::living(), living) << "call " << n;
    }
    EXPECT_GT(failures, calls / 3);
  }
}

}  // namespace
}  // namespace bouquet::cuda
