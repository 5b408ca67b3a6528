// What is doubtful about attributes: found without asking, reported, and for some a reason to leave the attribute out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/attribute_rows.h"
#include "engine/attribute_schema.h"

namespace bouquet::training {

struct AttributeFinding {
  enum class Kind : uint8_t { kConstant, kAllMissing, kDuplicate, kIdLike, kLeakage, kUnknownType, kUnusable };
  Kind kind = Kind::kConstant;
  std::string attribute;
  std::string message;  // to be put behind the attribute's name: "is missing in every row; it is left out"
};

// Attributes whose columns equal those of an earlier one in every row, by 64 bits of hash. They stay: a ridge regression shares the
// weight between the two.
std::vector<AttributeFinding> duplicate_attributes(const AttributeSchema& schema, const AttributeRows& rows);

// What the model is to predict, by row: "the number of events".
struct LeakageTarget {
  std::string name;
  std::vector<float> values;  // [rows]
};

// Numbers, categories and flags that determine a target nearly alone: with ranks in place of the target's values, the share of their
// variance explained by the attribute is at least 0.9. For a number that is the squared rank correlation; for a category or flag the
// adjusted share between the groups, missing being one. Looked for in at most 20,000 rows, evenly spaced; fewer than 100 say nothing. Sets,
// texts and vectors are not tested.
std::vector<AttributeFinding> leakage_suspects(const AttributeSchema& schema, const AttributeRows& rows,
                                               std::span<const LeakageTarget> targets);

}  // namespace bouquet::training
