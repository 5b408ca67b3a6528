// Offers by what items are, not by who took them: the items whose attributes point the same way as those of the history. Needs no
// events of the offered item; what a model's item prior must be compared with.
#pragma once

#include "engine/attribute_rows.h"
#include "training/answers.h"

namespace bouquet::training {

// score(u, i) = sum over u's history of the cosine of the attribute rows of i and of the item in the history. `attributes` are the items'.
// A customer of whom nothing is known gets the most popular items, as from the model. With Repeats::kExclude; the same for the others.
Answers content_neighbours(const TestSet& tests, const Knowledge& known, const AttributeRows& attributes, const AnswerOptions& options);

}  // namespace bouquet::training
