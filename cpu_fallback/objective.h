// The objective L of docs/algorithms/ials.md, in double, without the penalty of the attribute maps themselves. The term over all pairs is
// the product of the two Gram matrices.
#pragma once

#include "cpu_fallback/factor_table.h"
#include "cpu_fallback/prior_means.h"
#include "cpu_fallback/thread_pool.h"
#include "engine/interactions.h"
#include "engine/ridge_rule.h"

namespace bouquet::cpu {

struct ObjectiveRules {
  RidgeRule customers;
  RidgeRule items;
};

// What the vectors of one side are drawn to. A map without a table: to zero.
struct ObjectivePriors {
  const PriorMap& customers;
  const PriorMap& items;
};

double objective(const Interactions& interactions, const FactorTable& profiles, const FactorTable& item_vectors,
                 const ObjectiveRules& rules, const ObjectivePriors& priors, ThreadPool& pool);

}  // namespace bouquet::cpu
