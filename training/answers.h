// What a model and the baselines would offer each customer of a test set. The model's answers come from the Ranker that serves
// and are composed by the code that serves.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "engine/content_links.h"
#include "training/popularity.h"
#include "training/test_set.h"

namespace bouquet::training {

// What an answer may hold.
//   kExclude  items that the customer has not consumed
//   kInclude  everything: the repurchase head's rows, then new items
//   kOnly     items that the customer has consumed
enum class Repeats { kExclude, kInclude, kOnly };

absl::StatusOr<Repeats> parse_repeats(std::string_view name);
std::string_view repeats_name(Repeats repeats);

// An answer of length k need not begin with the answer of a shorter one, so each length has its own.
struct Answers {
  std::vector<int32_t> lengths;            // ascending
  std::vector<std::vector<int32_t>> rows;  // rows[j] is [n, lengths[j]], best first, kNone where there is no more
  // [n, lengths.back()] the longest answers with scores and sources, if asked for; item kNone: no more, or nothing is known of the
  // customer.
  std::vector<AnswerRow> longest = {};
};

// What the answering subjects know; borrowed.
struct Knowledge {
  HistoriesView histories;           // rows are TestSet::customers
  MatrixView<const float> profiles;  // [histories, d], or empty: the histories are the loaded model's customers
  const Popularity* popularity = nullptr;
  double repurchase_share = 0;
  const Model* model = nullptr;           // with `content`: the loaded one
  const ContentLinks* content = nullptr;  // what leads to items without events; nullptr: the profile alone ranks
  BitmapView among = {};                  // over the model's items: what may be offered at all; no words: everything

  bool may_offer(int32_t item) const { return among.words.empty() || among.test(item); }
};

// All rows kNone.
Answers empty_answers(int32_t count, const std::vector<int32_t>& lengths);

// Every length of answer t takes the front of `items`.
void write_front(std::span<const int32_t> items, int32_t t, Answers& answers);

struct AnswerOptions {
  Repeats repeats = Repeats::kExclude;
  std::vector<int32_t> lengths{20};  // ascending, each 1 to kMaxK
  int32_t workers = 1;               // threads, each with a Ranker of its own
  bool keep_longest = false;         // fill Answers::longest
};

// What answers_of_model() makes of a model that a training of these has come to.
JudgingShape judging_shape(const Interactions& interactions, int32_t dimension, const AnswerOptions& options);

// The model's own. A customer of whom nothing is known gets the most popular items. Errors: those of the backend.
absl::StatusOr<Answers> answers_of_model(const LoadedModel& model, const TestSet& tests, const Knowledge& known,
                                         const AnswerOptions& options);

}  // namespace bouquet::training
