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
  uint64_t seed = 1;
};

// Vectors whose coordinates fall off as trained factors do (the j-th has standard deviation 1 / sqrt(1 + j)). Items have titles and
// categories of usual length. The same artifact for the same settings.
Artifact generate_model(const GeneratedModel& settings);

}  // namespace bouquet::bench
