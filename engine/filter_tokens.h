// A filter's text in tokens (docs/api.md), each with the place where it stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bouquet {

enum class FilterToken : uint8_t { kWord, kText, kNumber, kOperator, kOpen, kClose, kColon, kComma, kEnd };

struct PlacedToken {
  FilterToken kind = FilterToken::kEnd;
  std::string text;    // as written; of kText without its quotes and escapes
  double number = 0;   // of kNumber
  int32_t column = 1;  // characters from the start of the filter, from 1
};

// InvalidArgument: "column 7: expected ...".
absl::Status filter_error(int32_t column, const std::string& what);

// `text` in single quotes; what is past 40 bytes is cut off, because a status must fit into a header of its answer.
std::string filter_text_shown(std::string_view text);

// The last token is kEnd. Words are letters, digits and `_`, after the first character also `.` and `-`; letters beyond ASCII count.
// Texts stand in double or single quotes, where a backslash goes before a quote or a backslash. Numbers are decimal and finite.
// Errors: InvalidArgument with the column.
absl::StatusOr<std::vector<PlacedToken>> filter_tokens(std::string_view filter);

}  // namespace bouquet
