#include "training/content_neighbours.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "training/baselines.h"
#include "training/unit_rows.h"

namespace bouquet::training {
namespace {

// One worker's memory.
class ContentScores {
 public:
  explicit ContentScores(const UnitRows& rows) : rows_(rows), wanted_(rows.columns()), scores_(rows.items()) {}

  // The best `limit` items of those that may be offered, best first, equal scores by lower row. Items with no score are left out.
  void rank(const HistoryView& history, const Knowledge& known, size_t limit, std::vector<int32_t>& best) {
    std::fill(wanted_.begin(), wanted_.end(), 0.0);
    std::fill(scores_.begin(), scores_.end(), 0.0);
    for (const int32_t item : history.items)
      for (const UnitEntry& e : rows_.of_item(item)) wanted_[static_cast<size_t>(e.at)] += double{e.value};
    for (size_t c = 0; c < wanted_.size(); ++c) {
      if (wanted_[c] == 0) continue;
      for (const UnitEntry& e : rows_.of_column(c)) scores_[static_cast<size_t>(e.at)] += wanted_[c] * double{e.value};
    }
    for (size_t i = 0; i < history.items.size(); ++i)
      if (history.consumed[i]) scores_[static_cast<size_t>(history.items[i])] = 0;
    best.clear();
    for (size_t i = 0; i < scores_.size(); ++i)
      if (scores_[i] > 0 && known.may_offer(static_cast<int32_t>(i))) best.push_back(static_cast<int32_t>(i));
    const auto before = [&](int32_t a, int32_t b) {
      const double x = scores_[static_cast<size_t>(a)], y = scores_[static_cast<size_t>(b)];
      return x > y || (x == y && a < b);
    };
    const size_t count = std::min(limit, best.size());
    std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(count), best.end(), before);
    best.resize(count);
  }

 private:
  const UnitRows& rows_;
  std::vector<double> wanted_, scores_;
};

}  // namespace

Answers content_neighbours(const TestSet& tests, const Knowledge& known, const AttributeRows& attributes, const AnswerOptions& options) {
  const UnitRows rows(attributes);
  Answers answers = empty_answers(tests.size(), options.lengths);
  std::atomic<int32_t> next{0};
  const auto work = [&] {
    ContentScores scores(rows);
    std::vector<int32_t> best;
    for (int32_t t = next++; t < tests.size(); t = next++) {
      const int32_t customer = tests.customers[static_cast<size_t>(t)];
      best.clear();
      if (customer == kNone)
        append_popular({}, known, false, static_cast<size_t>(options.lengths.back()), best);
      else
        scores.rank(known.histories.row(customer), known, static_cast<size_t>(options.lengths.back()), best);
      write_front(best, t, answers);
    }
  };
  std::vector<std::jthread> helpers;
  for (int32_t w = 1; w < options.workers; ++w) helpers.emplace_back(work);
  work();
  helpers.clear();
  return answers;
}

}  // namespace bouquet::training
