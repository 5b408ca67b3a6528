// The Gram matrix of one side's attributes with the weights of its rows, XᵀRX: made once per training, all of it in double. The columns of
// a category add up to the intercept, and only what the regularization adds keeps that direction positive.
#pragma once

#include <span>
#include <vector>

#include "cpu_fallback/thread_pool.h"
#include "engine/attribute_rows.h"

namespace bouquet::cpu {

// [F + 1, F + 1] row-major, of which the upper triangle is filled; positions are those of the prior map (attribute_rows.h), the intercept
// last. `weights` [n]. The same bits at any number of threads.
std::vector<double> attribute_gram(const AttributeRows& rows, std::span<const double> weights, ThreadPool& pool);

// Its diagonal, [F + 1].
std::vector<double> attribute_gram_diagonal(const AttributeRows& rows, std::span<const double> weights);

}  // namespace bouquet::cpu
