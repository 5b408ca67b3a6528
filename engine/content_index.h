// Which items with events an item without any is most like by its attributes: what content links are made of, in training and for items
// that come later.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/attribute_rows.h"
#include "engine/content_links.h"

namespace bouquet {

inline constexpr size_t kLinksPerItem = 100;

// One number of a row that is divided by its length, so that the product of two rows is their cosine.
struct UnitEntry {
  int32_t at = 0;  // a column; or an item, in the list of a column
  float value = 0;
};

// Row r of `rows`, dense columns first; of a row of zeros there are none.
std::vector<UnitEntry> unit_row(const AttributeRows& rows, int64_t r);

// The attribute rows of the items with events, by column. Immutable.
class ContentIndex {
 public:
  // `has_events` [rows].
  ContentIndex(const AttributeRows& rows, const std::vector<uint8_t>& has_events);

  // The kLinksPerItem items with events that `row` is most like, ascending; of those alike equally the lower ones, and none without any
  // likeness. `sums` is [items] of zeros, and is again afterwards.
  std::vector<ContentLink> most_alike(const std::vector<UnitEntry>& row, std::vector<double>& sums) const;
  // Steps that this takes.
  int64_t work(const std::vector<UnitEntry>& row) const;

  size_t items() const { return items_; }

 private:
  size_t items_;
  std::vector<std::vector<UnitEntry>> of_column_;  // by rising item
};

}  // namespace bouquet
