// What a filter says, before anybody looks at a catalog: the documented subset of AIP-160 (docs/api.md) as a tree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/filter_tokens.h"

namespace bouquet {

inline constexpr size_t kMaxFilterBytes = 8192;
inline constexpr int kMaxFilterDepth = 32;         // parentheses within parentheses
inline constexpr int kMaxFilterComparisons = 100;  // each looks at every item

enum class FilterOperator : uint8_t { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kAny, kNotAny };

struct FilterComparison {
  std::string name;  // of the attribute
  int32_t name_column = 1;
  FilterOperator op = FilterOperator::kEqual;
  int32_t op_column = 1;
  std::vector<PlacedToken> values;  // kWord (true or false), kText or kNumber; one, of kAny and kNotAny one and more texts
};

// No NOT is left: it has gone down to the comparisons, whose operators are turned round. An attribute that is missing matches neither an
// operator nor the one turned round, so that this is the three-valued logic of docs/api.md: NOT of unknown is unknown.
struct FilterNode {
  enum class Kind : uint8_t { kComparison, kAll, kAtLeastOne };
  Kind kind = Kind::kComparison;
  FilterComparison comparison;       // of kComparison
  std::vector<FilterNode> children;  // of the others: two and more
};

// Errors: InvalidArgument with the column at which the text stops making sense, and what was expected there; past a limit.
absl::StatusOr<FilterNode> parse_filter(std::string_view filter);

}  // namespace bouquet
