#include "engine/item_filter.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/filter_syntax.h"
#include "engine/item_predicates.h"
#include "engine/views.h"

namespace bouquet {
namespace {

// A FilterNode with its comparisons bound.
struct BoundNode {
  FilterNode::Kind kind = FilterNode::Kind::kComparison;
  std::unique_ptr<ItemPredicate> comparison;
  std::vector<BoundNode> children;

  // 64 items at a time, so that nothing is kept between the levels of the tree.
  uint64_t matches(int64_t first, int count) const {
    if (kind == FilterNode::Kind::kComparison) return comparison->matches(first, count);
    const bool all = kind == FilterNode::Kind::kAll;
    uint64_t bits = children[0].matches(first, count);
    for (size_t c = 1; c < children.size() && (all ? bits != 0 : bits != ~uint64_t{0}); ++c) {
      const uint64_t more = children[c].matches(first, count);
      bits = all ? bits & more : bits | more;
    }
    return bits;
  }
};

absl::StatusOr<BoundNode> bound(const FilterNode& node, const Catalog& catalog, int64_t item_count,
                                std::span<const CatalogColumn> elsewhere) {
  BoundNode out;
  out.kind = node.kind;
  if (node.kind == FilterNode::Kind::kComparison) {
    auto comparison = bind(node.comparison, catalog, item_count, elsewhere);
    if (!comparison.ok()) return comparison.status();
    out.comparison = *std::move(comparison);
  }
  for (const FilterNode& child : node.children) {
    auto inner = bound(child, catalog, item_count, elsewhere);
    if (!inner.ok()) return inner;
    out.children.push_back(*std::move(inner));
  }
  return out;
}

}  // namespace

absl::StatusOr<std::vector<uint64_t>> items_passing(std::string_view filter, const Catalog& catalog, int64_t item_count,
                                                    std::span<const CatalogColumn> elsewhere) {
  const auto node = parse_filter(filter);
  if (!node.ok()) return node.status();
  const auto root = bound(*node, catalog, item_count, elsewhere);
  if (!root.ok()) return root.status();
  std::vector<uint64_t> words(static_cast<size_t>(bitmap_word_count(item_count)));
  for (size_t w = 0; w < words.size(); ++w) {
    const int64_t first = static_cast<int64_t>(w) * 64;
    words[w] = root->matches(first, static_cast<int>(std::min<int64_t>(64, item_count - first)));
  }
  return words;
}

}  // namespace bouquet
