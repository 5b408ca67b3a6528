#include "engine/interactions.h"

#include <cmath>
#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status validate_ridges(const char* side, const std::vector<double>& ridges, const AttributeTable& attributes) {
  if (!ridges.empty() && ridges.size() != static_cast<size_t>(attributes.column_count))
    return wrong_usage(std::string(side) + ": there are " + std::to_string(ridges.size()) + " ridges for " +
                       std::to_string(attributes.column_count) + " attribute columns");
  for (const double ridge : ridges)
    if (!(ridge >= 0) || !std::isfinite(ridge))
      return wrong_usage(std::string(side) + ": a ridge of an attribute column is not finite and >= 0");
  return absl::OkStatus();
}

}  // namespace

SparseRows transpose(const SparseRows& rows) {
  SparseRows out;
  out.column_count = rows.row_count();
  out.offsets.assign(static_cast<size_t>(rows.column_count) + 1, 0);
  out.columns.resize(rows.columns.size());
  out.confidences.resize(rows.confidences.size());
  out.targets.resize(rows.targets.size());
  for (const int32_t c : rows.columns) ++out.offsets[static_cast<size_t>(c) + 1];
  for (size_t c = 1; c < out.offsets.size(); ++c) out.offsets[c] += out.offsets[c - 1];
  // offsets[c] serves as the write position of row c and ends as the start of row c + 1; shifting back restores it.
  for (int32_t r = 0; r < rows.row_count(); ++r) {
    for (int64_t k = rows.offsets[static_cast<size_t>(r)]; k < rows.offsets[static_cast<size_t>(r) + 1]; ++k) {
      const auto from = static_cast<size_t>(k);
      const auto to = static_cast<size_t>(out.offsets[static_cast<size_t>(rows.columns[from])]++);
      out.columns[to] = r;
      out.confidences[to] = rows.confidences[from];
      if (!rows.targets.empty()) out.targets[to] = rows.targets[from];
    }
  }
  for (size_t c = out.offsets.size() - 1; c > 0; --c) out.offsets[c] = out.offsets[c - 1];
  out.offsets[0] = 0;
  return out;
}

absl::Status validate(const SparseRows& rows) {
  const auto fail = [](int64_t row, const std::string& what) { return wrong_usage("row " + std::to_string(row) + ": " + what); };
  const auto count = static_cast<size_t>(rows.offsets.empty() ? 0 : rows.offsets.back());
  if (rows.offsets.empty() || rows.offsets[0] != 0) return wrong_usage("the offsets do not start at 0");
  if (rows.columns.size() != count || rows.confidences.size() != count || (!rows.targets.empty() && rows.targets.size() != count))
    return wrong_usage("columns, confidences and targets do not have as many entries as the last offset says");
  for (int32_t r = 0; r < rows.row_count(); ++r) {
    if (rows.row_length(r) < 0 || rows.offsets[static_cast<size_t>(r) + 1] > rows.offsets.back()) return fail(r, "its offsets descend");
    for (auto k = static_cast<size_t>(rows.offsets[static_cast<size_t>(r)]);
         k < static_cast<size_t>(rows.offsets[static_cast<size_t>(r) + 1]); ++k) {
      if (rows.columns[k] < 0 || rows.columns[k] >= rows.column_count)
        return fail(r, "column " + std::to_string(rows.columns[k]) + " is out of range");
      if (k > static_cast<size_t>(rows.offsets[static_cast<size_t>(r)]) && rows.columns[k] <= rows.columns[k - 1])
        return fail(r, "its columns do not ascend");
      if (!(rows.confidences[k] > 0) || !std::isfinite(rows.confidences[k])) return fail(r, "a confidence is not positive and finite");
      if (!rows.targets.empty() && !std::isfinite(rows.targets[k])) return fail(r, "a target is not finite");
    }
  }
  return absl::OkStatus();
}

absl::Status validate(const Interactions& interactions) {
  if (interactions.pair_count() == 0) return wrong_usage("there is nothing to train on: no customer has an item");
  if (absl::Status s = validate(interactions.by_customer); !s.ok()) return s;
  if (interactions.by_item.pair_count() != interactions.pair_count() || interactions.by_item.row_count() != interactions.item_count() ||
      interactions.by_item.column_count != interactions.customer_count())
    return wrong_usage("the two sides of the interactions do not have the same shape");
  if (absl::Status s = validate(interactions.by_item); !s.ok()) return s;
  if (!interactions.customer_attributes.empty())
    if (absl::Status s = validate(interactions.customer_attributes.rows(), interactions.customer_count()); !s.ok())
      return wrong_usage("customers: " + std::string(message_of(s)));
  if (!interactions.item_attributes.empty())
    if (absl::Status s = validate(interactions.item_attributes.rows(), interactions.item_count()); !s.ok())
      return wrong_usage("items: " + std::string(message_of(s)));
  if (absl::Status s = validate_ridges("customers", interactions.customer_attribute_ridges, interactions.customer_attributes); !s.ok())
    return s;
  return validate_ridges("items", interactions.item_attribute_ridges, interactions.item_attributes);
}

}  // namespace bouquet
