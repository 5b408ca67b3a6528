// The values behind an evaluation: one column per metric and length, one row per judged customer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "training/answers.h"
#include "training/metrics.h"

namespace bouquet::training {

// Which tests count and what is relevant in each, for one way of treating repeats.
struct JudgedCustomers {
  std::vector<int32_t> tests;       // rows of the test set
  std::vector<int64_t> offsets{0};  // [tests + 1] of `relevant`
  std::vector<int32_t> relevant;    // ascending
  std::vector<int64_t> total;       // [tests] relevant items, unknown ones among them

  std::span<const int32_t> relevant_of(size_t i) const {
    return std::span(relevant).subspan(static_cast<size_t>(offsets[i]), static_cast<size_t>(offsets[i + 1] - offsets[i]));
  }
};

// The main row (known customers, known items), or with unknown ones: all customers, unknown items counted as relevant but with
// kOnly. Customers without a relevant item are left out.
JudgedCustomers judged_customers(const TestSet& tests, const HistoriesView& histories, Repeats repeats, bool with_unknown);

struct CustomerFigures {
  std::vector<std::string> names;           // "recall@20", ..., "popularity@20"
  std::vector<std::vector<float>> columns;  // [names][tests]
  std::vector<double> coverage;             // [lengths] share of the items that somebody is offered
};

CustomerFigures customer_figures(const Answers& answers, const JudgedCustomers& judged, const Popularity& popularity);

}  // namespace bouquet::training
