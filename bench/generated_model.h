// A model of any size with made-up vectors, for benchmarks of serving: right in every shape, meaningless in its taste.
#pragma once

#include <cstdint>

#include "engine/artifact.h"

namespace bouquet::bench {

struct GeneratedModel {
  int32_t customers = 2000;
  int32_t items = 20902;
  int32_t dimension = 64;
  int32_t history = 30;  // items per customer, all consumed
  // Of customers: the first 300 are numbers, the others flags of which every customer has at most 60. All are known. 0: the model takes
  // none.
  int32_t attributes = 0;
  uint64_t seed = 1;
};

// Vectors whose coordinates fall off as trained factors do (the j-th has standard deviation 1 / sqrt(1 + j)). Items have titles and
// categories of usual length. The same artifact for the same settings.
Artifact generate_model(const GeneratedModel& settings);

inline constexpr int32_t kGeneratedNumbers = 300;
inline constexpr int32_t kGeneratedTrueFlags = 60;

// The value of attribute `a` of customer `c`: a number, or of a flag 0 or 1.
double generated_attribute(const GeneratedModel& settings, int32_t c, int32_t a);

}  // namespace bouquet::bench
