// What a model must beat to be worth its place: the answers that need no model.
#pragma once

#include <cstdint>
#include <vector>

#include "training/answers.h"

namespace bouquet::training {

// The items that most customers consumed.
Answers most_popular(const TestSet& tests, const Knowledge& known, const AnswerOptions& options);

// The items that the customer bought most often, ties by popularity; then the most popular of the others. With kExclude nothing
// personal is left and it is most_popular.
Answers personal_frequency(const TestSet& tests, const Knowledge& known, const AnswerOptions& options);

// The building blocks: the consumed items of a history; and the most popular items, of which those that the history has as consumed
// may be skipped and those that may not be offered are, until `out` holds `limit` items.
void append_consumed(const HistoryView& history, std::vector<int32_t>& out);
void append_popular(const HistoryView& history, const Knowledge& known, bool skip_consumed, size_t limit, std::vector<int32_t>& out);

}  // namespace bouquet::training
