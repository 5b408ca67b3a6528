// Ring 2 by search: RapidCheck looks for a table, restrictions and k that any backend ranks unlike the oracle.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/conformance/ranking_answer.h"
#include "tests/conformance/ranking_data.h"

namespace bouquet::conformance {
namespace {

// Whole numbers make ties; the scale moves them where rounding matters.
std::vector<float> table(int32_t rows, int32_t d) {
  const auto numbers = *rc::gen::container<std::vector<int>>(static_cast<size_t>(rows) * static_cast<size_t>(d), rc::gen::inRange(-3, 4));
  const float scale = *rc::gen::element(1.0f, 0.1f, 1e-30f, 3e12f);
  std::vector<float> values;
  for (const int n : numbers) values.push_back(static_cast<float>(n) * scale);
  return values;
}

RC_GTEST_PROP(RankingProperty, EveryBackendAnswersAsTheOracle, ()) {
  const int32_t d = *rc::gen::inRange(1, 40), asking = *rc::gen::inRange(1, 9), ranked = *rc::gen::inRange(0, 600);
  const RankingData data{d, table(asking, d), table(ranked, d)};
  std::vector<int32_t> rows;
  for (int32_t r = 0; r < asking; ++r) rows.push_back(r);
  QueryBatch queries{.rows = rows, .k = *rc::gen::inRange(1, 60)};
  const MixedRestrictions restrictions(asking, ranked, *rc::gen::arbitrary<uint64_t>());
  if (*rc::gen::arbitrary<bool>()) restrictions.apply(queries);
  for (const std::string& name : backend_names()) {
    auto backend = make_backend({.name = name, .threads = name == "cpu" ? 1 : 0});
    if (!backend.ok()) {
      if (!may_be_absent(backend.status())) RC_FAIL(std::string(message_of(backend.status())));
      continue;  // the fixture tests say visibly that it is absent
    }
    auto model = (*backend)->load(ranking_model(data));
    RC_ASSERT(model.ok());
    auto ranker = (*model)->make_ranker(Side::kItems, {.max_batch = asking, .max_k = 60});
    RC_ASSERT(ranker.ok());
    Answer answer = ask(**ranker, queries);
    RC_ASSERT(answer.status.ok());
    RC_ASSERT(count_differences(answer.rows.span(), answer.scores.span(),
                                oracle::rank(data.asking_matrix(), data.ranked_matrix(), queries)) == 0);
  }
}

}  // namespace
}  // namespace bouquet::conformance
