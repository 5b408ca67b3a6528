#include "training/answers.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "engine/content_blend.h"
#include "engine/errors.h"
#include "training/baselines.h"

namespace bouquet::training {
namespace {

constexpr int32_t kBatch = 64;

RankerLimits ranker_limits(const AnswerOptions& options) { return {.max_batch = kBatch, .max_k = options.lengths.back()}; }

// One worker: its Ranker and the arrays of a batch.
class ModelAnswers {
 public:
  ModelAnswers(const TestSet& tests, const Knowledge& known, const AnswerOptions& options, Answers& answers)
      : tests_(tests), known_(known), options_(options), answers_(answers), k_(options.lengths.back()) {
    if (known.content != nullptr) blend_.emplace(*known.model, *known.content);
  }

  absl::Status prepare(const LoadedModel& model) {
    auto ranker = model.make_ranker(Side::kItems, ranker_limits(options_));
    if (!ranker.ok()) return ranker.status();
    ranker_ = *std::move(ranker);
    return absl::OkStatus();
  }

  // Answers the tests [begin, end), at most kBatch.
  absl::Status answer(int32_t begin, int32_t end) {
    asked_.clear();
    for (int32_t t = begin; t < end; ++t) {
      if (tests_.customers[static_cast<size_t>(t)] == kNone)
        answer_unknown(t);
      else
        asked_.push_back(t);
    }
    if (options_.repeats != Repeats::kOnly)
      if (absl::Status status = rank(); !status.ok()) return status;
    for (size_t i = 0; i < asked_.size(); ++i) write(i);
    return absl::OkStatus();
  }

 private:
  HistoryView history(int32_t t) const { return known_.histories.row(tests_.customers[static_cast<size_t>(t)]); }

  void answer_unknown(int32_t t) {
    list_.clear();
    if (options_.repeats != Repeats::kOnly) append_popular({}, known_, false, static_cast<size_t>(k_), list_);
    write_front(list_, t, answers_);
  }

  absl::Status rank() {
    rows_.clear();
    vectors_.clear();
    excluded_.clear();
    offsets_.assign(1, 0);
    for (const int32_t t : asked_) {
      const int32_t row = tests_.customers[static_cast<size_t>(t)];
      rows_.push_back(row);
      if (!known_.profiles.empty()) {
        const auto profile = known_.profiles.row(row);
        vectors_.insert(vectors_.end(), profile.begin(), profile.end());
      }
      append_consumed(history(t), excluded_);
      offsets_.push_back(static_cast<int64_t>(excluded_.size()));
    }
    QueryBatch batch;
    batch.exclusions = {offsets_, excluded_};
    batch.k = k_;
    filter_of_.assign(asked_.size(), 0);
    if (!known_.among.words.empty()) {
      batch.filters = {&known_.among, 1};
      batch.filter_of = filter_of_;
    }
    if (known_.profiles.empty())
      batch.rows = rows_;
    else
      batch.vectors = {vectors_.data(), static_cast<int64_t>(asked_.size()), known_.profiles.cols};
    ranked_.assign(asked_.size() * static_cast<size_t>(k_), kNone);
    scores_.assign(ranked_.size(), 0);
    if (absl::Status status = ranker_->rank(batch, {ranked_, scores_}); !status.ok()) return status;
    for (size_t i = 0; blend_ && i < asked_.size(); ++i) blend(i);
    return absl::OkStatus();
  }

  // The content path into the ranked rows of the i-th asked.
  void blend(size_t i) {
    const int32_t row = tests_.customers[static_cast<size_t>(asked_[i])];
    const auto excluded =
        std::span(excluded_).subspan(static_cast<size_t>(offsets_[i]), static_cast<size_t>(offsets_[i + 1] - offsets_[i]));
    const auto rows = std::span(ranked_).subspan(i * static_cast<size_t>(k_), static_cast<size_t>(k_));
    const auto scores = std::span(scores_).subspan(i * static_cast<size_t>(k_), static_cast<size_t>(k_));
    blend_->blend(known_.profiles.empty() ? known_.model->profile_matrix().row(row) : known_.profiles.row(row), history(asked_[i]).items,
                  rows, scores, k_,
                  [&](ItemIndex item) { return known_.may_offer(item) && !std::binary_search(excluded.begin(), excluded.end(), item); });
    std::ranges::copy(blend_->rows(), rows.begin());
    std::ranges::copy(blend_->scores(), scores.begin());
  }

  void write(size_t i) {
    const int32_t t = asked_[i];
    const auto k = static_cast<size_t>(k_);
    head_.clear();
    if (options_.repeats != Repeats::kExclude) rank_repurchases(history(t), {.filter = known_.among, .excluded = {}}, k_, head_);
    const bool only = options_.repeats == Repeats::kOnly;
    const auto items = only ? std::span<const int32_t>() : std::span<const int32_t>(ranked_).subspan(i * k, k);
    const auto scores = only ? std::span<const float>() : std::span<const float>(scores_).subspan(i * k, k);
    for (size_t j = 0; j < answers_.lengths.size(); ++j) {
      const int32_t length = answers_.lengths[j];
      mix_answer(head_, items, scores, known_.repurchase_share, length, mixed_);
      for (size_t r = 0; r < mixed_.size(); ++r)
        answers_.rows[j][static_cast<size_t>(t) * static_cast<size_t>(length) + r] = mixed_[r].item;
    }
    // The last length is the longest.
    if (options_.keep_longest)
      std::ranges::copy(mixed_, answers_.longest.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(t) * k));
  }

  const TestSet& tests_;
  const Knowledge& known_;
  const AnswerOptions& options_;
  Answers& answers_;
  int32_t k_;
  std::unique_ptr<Ranker> ranker_;
  std::optional<ContentBlend> blend_;
  std::vector<int32_t> filter_of_, asked_, rows_, excluded_, ranked_, list_;
  std::vector<int64_t> offsets_;
  std::vector<float> vectors_, scores_;
  std::vector<AnswerRow> head_, mixed_;
};

}  // namespace

absl::StatusOr<Repeats> parse_repeats(std::string_view name) {
  for (const Repeats repeats : {Repeats::kExclude, Repeats::kInclude, Repeats::kOnly})
    if (repeats_name(repeats) == name) return repeats;
  return wrong_usage("--repeats '" + std::string(name) + "' is unknown; it takes exclude, include or only");
}

std::string_view repeats_name(Repeats repeats) {
  switch (repeats) {
    case Repeats::kInclude: return "include";
    case Repeats::kOnly: return "only";
    default: return "exclude";
  }
}

Answers empty_answers(int32_t count, const std::vector<int32_t>& lengths) {
  Answers out{.lengths = lengths, .rows = {}};
  for (const int32_t k : lengths) out.rows.emplace_back(static_cast<size_t>(count) * static_cast<size_t>(k), kNone);
  return out;
}

void write_front(std::span<const int32_t> items, int32_t t, Answers& answers) {
  for (size_t j = 0; j < answers.lengths.size(); ++j) {
    const auto k = static_cast<size_t>(answers.lengths[j]);
    std::copy_n(items.begin(), std::min(k, items.size()),
                answers.rows[j].begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(t) * k));
  }
}

JudgingShape judging_shape(const Interactions& interactions, int32_t dimension, const AnswerOptions& options) {
  return {.customers = interactions.customer_count(),
          .items = interactions.item_count(),
          .dimension = dimension,
          .rankers = options.workers,
          .limits = ranker_limits(options)};
}

absl::StatusOr<Answers> answers_of_model(const LoadedModel& model, const TestSet& tests, const Knowledge& known,
                                         const AnswerOptions& options) {
  Answers answers = empty_answers(tests.size(), options.lengths);
  if (options.keep_longest) answers.longest.resize(answers.rows.back().size());
  std::atomic<int32_t> next{0};
  std::mutex mutex;
  absl::Status outcome;
  const auto work = [&] {
    ModelAnswers worker(tests, known, options, answers);
    absl::Status status = worker.prepare(model);
    for (int32_t begin = next.fetch_add(kBatch); status.ok() && begin < tests.size(); begin = next.fetch_add(kBatch))
      status = worker.answer(begin, std::min(begin + kBatch, tests.size()));
    if (status.ok()) return;
    const std::lock_guard lock(mutex);
    outcome = status;
    next = tests.size();
  };
  {
    std::vector<std::jthread> helpers;
    for (int32_t w = 1; w < options.workers; ++w) helpers.emplace_back(work);
    work();
  }
  if (!outcome.ok()) return outcome;
  return answers;
}

}  // namespace bouquet::training
