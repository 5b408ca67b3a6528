// The objective L of docs/algorithms/ials.md, in double. The term over all pairs is the product of the two Gram matrices.
#pragma once

#include "cpu_fallback/factor_table.h"
#include "cpu_fallback/thread_pool.h"
#include "engine/interactions.h"
#include "engine/ridge_rule.h"

namespace bouquet::cpu {

struct ObjectiveRules {
  RidgeRule customers;
  RidgeRule items;
};

double objective(const Interactions& interactions, const FactorTable& profiles, const FactorTable& item_vectors,
                 const ObjectiveRules& rules, ThreadPool& pool);

}  // namespace bouquet::cpu
