// Counts the rows of an answer for metrics, by kind and placement.
#pragma once

#include "server/metrics.h"
#include "server/placements.h"
#include "server/recommender.h"

namespace bouquet::server {

// Of an answered question; those that offer nothing count nothing.
void count_offers(const Question& question, const Placements& placements, Metrics& metrics);

}  // namespace bouquet::server
