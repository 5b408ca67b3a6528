#include "training/empty_history.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "engine/eigenbasis.h"
#include "engine/ridge_rule.h"
#include "training/attribute_files.h"
#include "training/baselines.h"
#include "training/evaluator.h"

namespace bouquet::training {
namespace {

constexpr std::array kShares = {0.0, 0.01, 0.1, 0.3, 1.0};  // the last is all of alpha0

// The tests of customers without events of whom the attribute files have a row; `rows` gets that of each. Their customers are counted from
// 0.
TestSet without_events(const TestSet& tests, const EncodedEntities& attributes, std::vector<int32_t>& rows) {
  TestSet cold;
  for (int32_t t = 0; t < tests.size(); ++t) {
    const auto at = static_cast<size_t>(t);
    const CustomerIndex asked = tests.asked[at];
    if (tests.customers[at] != kNone || !attributes.has_row[static_cast<size_t>(asked)] || tests.relevant_of(t).empty()) continue;
    cold.customers.push_back(cold.size());
    cold.relevant.insert(cold.relevant.end(), tests.relevant_of(t).begin(), tests.relevant_of(t).end());
    cold.offsets.push_back(static_cast<int64_t>(cold.relevant.size()));
    cold.unknown_relevant.push_back(tests.unknown_relevant[at]);
    rows.push_back(asked);
  }
  return cold;
}

// [d]: the row's attributes times the map.
std::vector<double> prior_mean(const AttributeRows& attributes, int64_t row, const AttributePrior& prior, size_t d) {
  std::vector<double> mean(d, 0);
  const auto add = [&](size_t column, double value) {
    for (size_t j = 0; j < d; ++j) mean[j] += value * double{prior.map.data()[column * d + j]};
  };
  const auto dense = attributes.dense_row(row);
  for (size_t f = 0; f < dense.size(); ++f) add(f, double{dense[f]});
  const auto columns = attributes.row_columns(row);
  for (size_t k = 0; k < columns.size(); ++k) add(static_cast<size_t>(columns[k]), double{attributes.row_values(row)[k]});
  add(static_cast<size_t>(attributes.column_count), 1);
  return mean;
}

// What fold-in makes of each mean at a share, by the eigenbasis of QᵀQ, in which their matrices are diagonal.
std::vector<float> profiles_of(const std::vector<std::vector<double>>& means, const Eigenbasis& basis, const ModelConstants& c,
                               double share) {
  const size_t d = basis.values.size();
  const double ridge = RidgeRule{c.unobserved_weight, c.regularization, c.regularization_exponent, c.training_item_count}.ridge(0);
  std::vector<float> profiles;
  std::vector<double> profile(d);
  for (const std::vector<double>& mean : means) {
    std::fill(profile.begin(), profile.end(), 0.0);
    for (size_t k = 0; k < d; ++k) {
      const double* const axis = &basis.vectors[k * d];
      double along = 0;
      for (size_t j = 0; j < d; ++j) along += axis[j] * mean[j];
      along *= ridge / (share * c.unobserved_weight * std::max(basis.values[k], 0.0) + ridge);
      for (size_t j = 0; j < d; ++j) profile[j] += along * axis[j];
    }
    profiles.insert(profiles.end(), profile.begin(), profile.end());
  }
  return profiles;
}

}  // namespace

absl::StatusOr<std::optional<EmptyHistoryChoice>> choose_empty_share(const Dataset& dataset, const TrainingSet& set, const TestSet& tests,
                                                                     const Knowledge& known, const Model& model, const LoadedModel& loaded,
                                                                     ListMetric metric, int32_t workers) {
  const auto d = static_cast<size_t>(model.dimension);
  ReadReport counted_before;
  const auto attributes = encode_attributes(dataset.customer_attributes.source, set.customer_schema, dataset.customers, counted_before);
  if (!attributes.ok()) return attributes.status();
  std::vector<int32_t> rows;
  const TestSet cold = without_events(tests, *attributes, rows);
  const auto basis = eigenbasis_of(model.item_gram.view(), model.dimension);
  if (cold.size() < kLeastEmptyHistories || !basis) return std::nullopt;
  std::vector<std::vector<double>> means;
  for (const int32_t row : rows) means.push_back(prior_mean(attributes->table.rows(), row, model.customer_prior, d));
  const std::vector<int64_t> no_events(rows.size() + 1, 0);
  Knowledge asked = known;
  asked.histories = {.offsets = no_events, .items = {}, .consumed = {}, .repurchase = {}, .counts = {}};
  const AnswerOptions answering{.repeats = Repeats::kExclude, .lengths = {20}, .workers = workers};
  EmptyHistoryChoice best{.customers = cold.size(), .figure = -1};
  best.popular = mean_metric(most_popular(cold, asked, answering), 0, metric, cold, asked, answering.repeats);
  for (const double share : kShares) {
    const std::vector<float> profiles = profiles_of(means, *basis, model.constants, share);
    asked.profiles = {profiles.data(), cold.size(), model.dimension};
    const auto answers = answers_of_model(loaded, cold, asked, answering);
    if (!answers.ok()) return answers.status();
    best.with_all = mean_metric(*answers, 0, metric, cold, asked, answering.repeats);
    if (best.with_all > best.figure) {
      best.figure = best.with_all;
      best.share = share;
    }
  }
  return best;
}

}  // namespace bouquet::training
