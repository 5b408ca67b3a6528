// Every instruction set that this machine can run solves the half-steps, not only the best one.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "cpu_fallback/panel_kernels.h"
#include "tests/conformance/small_shop.h"
#include "tests/oracle/ials.h"

namespace bouquet::cpu {
namespace {

// Makes the kernels run on one instruction set, and on the best one again afterwards.
class OnlyTarget {
 public:
  explicit OnlyTarget(int64_t target) { choose(target); }
  ~OnlyTarget() { choose(0); }

 private:
  static void choose(int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

TEST(InstructionSets, AllSolveTheNormalEquations) {
  const Interactions shop = conformance::small_shop({.customers = 40, .with_targets = true});
  TrainingOptions options;
  options.dimension = 48;  // rows of up to 42 pairs take the dual
  const std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
  std::set<std::string> names;
  for (const int64_t target : targets) {
    const OnlyTarget only(target);
    SCOPED_TRACE(instruction_set());
    names.insert(instruction_set());
    auto backend = *make_cpu_backend(1);
    auto session = *backend->start_training(shop, options);
    ASSERT_TRUE(session->run_epoch().ok());
    const Model model = *session->snapshot();
    const oracle::FixedSide items(model.item_matrix());
    double worst = 0;
    for (int32_t u = 0; u < shop.customer_count(); ++u) {
      const auto equations = oracle::normal_equations(oracle::row_of(shop.by_customer, u), items,
                                                      {options.unobserved_weight, options.regularization, options.regularization_exponent});
      worst = std::max(worst, oracle::backward_error(equations, model.profile_matrix().row(u)));
    }
    EXPECT_LT(worst, 2e-6);
    EXPECT_GT(worst, 0);
  }
  EXPECT_EQ(names.size(), targets.size());
}

}  // namespace
}  // namespace bouquet::cpu
