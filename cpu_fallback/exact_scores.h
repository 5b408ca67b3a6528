// The scores of engine/score.h for many rows at once: the same bits, without waiting for one addition at a time.
#pragma once

#include <cstdint>
#include <span>

#include "engine/views.h"

namespace bouquet::cpu {

// scores[i] = score(query, rows.row(which[i])), query [d].
void exact_scores(const float* query, MatrixView<const float> rows, std::span<const int32_t> which, float* scores);

}  // namespace bouquet::cpu
