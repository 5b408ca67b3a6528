// What training learns from: the distinct (customer, item) pairs with their confidences, by customer and by item.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "engine/attribute_rows.h"
#include "engine/views.h"

namespace bouquet {

// Rows of weighted, ascending, distinct columns (CSR). Offsets are 64-bit: more than 2^31 pairs are fine.
struct SparseRows {
  int32_t column_count = 0;
  std::vector<int64_t> offsets{0};  // [row_count + 1]
  std::vector<int32_t> columns;     // [pair_count], ascending within a row
  std::vector<float> confidences;   // [pair_count], > 0 and finite: c of docs/algorithms/ials.md
  std::vector<float> targets;       // [pair_count], or empty: every target is 1. A returned item has target 0

  int32_t row_count() const { return static_cast<int32_t>(offsets.size() - 1); }
  int64_t pair_count() const { return offsets.back(); }
  int64_t row_length(int64_t r) const { return offsets[static_cast<size_t>(r) + 1] - offsets[static_cast<size_t>(r)]; }
};

// Rows and columns exchanged, by counting: pairs keep their order, so columns ascend.
SparseRows transpose(const SparseRows& rows);

// Whether the arrays keep the promises above. Errors: InvalidArgument, naming the row.
absl::Status validate(const SparseRows& rows);

// The same pairs from both sides, and what is known of customers and items beside them.
struct Interactions {
  SparseRows by_customer;
  SparseRows by_item;
  AttributeTable customer_attributes = {};  // [customer_count], or without columns: none are known
  AttributeTable item_attributes = {};      // [item_count], or without columns
  // What the fit of a side's prior map adds to lambda_A for each column [F], finite and >= 0; empty: nothing.
  std::vector<double> customer_attribute_ridges = {}, item_attribute_ridges = {};

  static Interactions from_customers(SparseRows by_customer) {
    SparseRows by_item = transpose(by_customer);
    return {std::move(by_customer), std::move(by_item), {}, {}, {}, {}};
  }
  int32_t customer_count() const { return by_customer.row_count(); }
  int32_t item_count() const { return by_customer.column_count; }
  int64_t pair_count() const { return by_customer.pair_count(); }
};

// Whether there is something to train on and both sides keep their promises. Errors: InvalidArgument.
absl::Status validate(const Interactions& interactions);

}  // namespace bouquet
