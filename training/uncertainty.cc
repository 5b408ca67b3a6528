#include "training/uncertainty.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "engine/counter_random.h"
#include "engine/eigenbasis.h"
#include "engine/ridge_rule.h"
#include "engine/score.h"
#include "engine/score_variance.h"
#include "training/part_histories.h"

namespace bouquet::training {
namespace {

double squared_norm(std::span<const float> v) {
  double sum = 0;
  for (const float x : v) sum += double{x} * double{x};
  return sum;
}

std::vector<float> gram_of(MatrixView<const float> table) {
  const auto d = static_cast<size_t>(table.cols);
  std::vector<double> sums(d * d, 0);
  for (int64_t r = 0; r < table.rows; ++r) {
    const auto row = table.row(r);
    for (size_t i = 0; i < d; ++i) {
      const double x = double{row[i]};
      for (size_t j = 0; j <= i; ++j) sums[i * d + j] += x * double{row[j]};
    }
  }
  for (size_t i = 0; i < d; ++i)
    for (size_t j = 0; j < i; ++j) sums[j * d + i] = sums[i * d + j];
  return {sums.begin(), sums.end()};
}

// One observation: the squared error of a score, its 1/c and the parts of its variance.
struct Residual {
  double squared_error, inverse_confidence;
  VarianceParts parts;
};

// The sigma² with mean of squared_error / (1/c + of_profile + of_item + sigma² of_both) = sigma²: the left side falls, the right one rises.
double solve_noise(const std::vector<Residual>& residuals) {
  const auto mean = [&](double noise) {
    double sum = 0;
    for (const Residual& r : residuals) sum += r.squared_error / (r.inverse_confidence + r.parts.variance(noise) / noise);
    return sum / static_cast<double>(residuals.size());
  };
  double low = 0, high = 0;
  for (const Residual& r : residuals)
    high += r.squared_error / (r.inverse_confidence + r.parts.of_profile + r.parts.of_item) / static_cast<double>(residuals.size());
  if (!(high > 0)) return 0;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (mean(middle) > middle ? low : high) = middle;
  }
  return high;
}

std::vector<int64_t> drawn_customers(const SparseRows& later, uint64_t seed) {
  std::vector<std::pair<uint64_t, int64_t>> order;
  for (int64_t r = 0; r < later.row_count(); ++r)
    if (later.row_length(r) > 0) order.emplace_back(random_bits(seed, static_cast<uint64_t>(r)), r);
  std::sort(order.begin(), order.end());
  if (order.size() > kNoiseCustomers) order.resize(kNoiseCustomers);
  std::vector<int64_t> rows;
  for (const auto& [key, row] : order) rows.push_back(row);
  return rows;
}

std::span<const int32_t> columns_of(const SparseRows& rows, int64_t r) {
  return std::span(rows.columns)
      .subspan(static_cast<size_t>(rows.offsets[static_cast<size_t>(r)]), static_cast<size_t>(rows.row_length(r)));
}

class NoiseFit {
 public:
  NoiseFit(const Model& model, const Uncertainty& uncertainty, const Interactions& fitted, const SparseRows& later)
      : model_(model),
        uncertainty_(uncertainty),
        fitted_(fitted),
        later_(later),
        profile_(static_cast<size_t>(model.dimension)),
        cholesky_(profile_.size() * profile_.size()) {}

  // Looks at the later pairs of one customer.
  absl::Status add(Profiler& profiler, int64_t row) {
    if (absl::Status s = solve(profiler, row); !s.ok()) return s;
    const auto items = columns_of(later_, row);
    const std::vector<VarianceParts> parts = variance_parts(model_, uncertainty_, {profile_, cholesky_}, items);
    for (size_t k = 0; k < items.size(); ++k) {
      const auto pair = static_cast<size_t>(later_.offsets[static_cast<size_t>(row)]) + k;
      const double target = later_.targets.empty() ? 1.0 : double{later_.targets[pair]};
      const double error = target - double{score(profile_.data(), model_.item_matrix().row(items[k]).data(), model_.dimension)};
      residuals_.push_back({error * error, 1 / double{later_.confidences[pair]}, parts[k]});
    }
    return absl::OkStatus();
  }

  const std::vector<Residual>& residuals() const { return residuals_; }

 private:
  absl::Status solve(Profiler& profiler, int64_t row) {
    const SparseRows& all = fitted_.by_customer;
    const auto begin = static_cast<size_t>(all.offsets[static_cast<size_t>(row)]), size = static_cast<size_t>(all.row_length(row));
    const std::array<int64_t, 2> offsets{0, all.row_length(row)};
    HistoryBatch history{.offsets = offsets,
                         .items = columns_of(all, row),
                         .confidences = std::span(all.confidences).subspan(begin, size),
                         .targets = {},
                         .attributes = {}};
    if (!all.targets.empty()) history.targets = std::span(all.targets).subspan(begin, size);
    if (!model_.customer_prior.map.empty()) history.attributes = fitted_.customer_attributes.rows().one_row(row, attribute_offsets_);
    return profiler.solve(history, {.profiles = {profile_.data(), 1, model_.dimension}, .cholesky = cholesky_});
  }

  const Model& model_;
  const Uncertainty& uncertainty_;
  const Interactions& fitted_;
  const SparseRows& later_;
  std::array<int64_t, 2> attribute_offsets_{};
  std::vector<float> profile_, cholesky_;
  std::vector<Residual> residuals_;
};

}  // namespace

Uncertainty uncertainty_of(const SparseRows& by_item, const Model& model) {
  const auto basis = eigenbasis_of(gram_of(model.profile_matrix()), model.dimension);
  if (!basis) return {};
  std::vector<float> rows(basis->vectors.begin(), basis->vectors.end());
  double trace = 0;
  for (const double value : basis->values) {
    rows.push_back(static_cast<float>(std::max(value, 0.0)));
    trace += std::max(value, 0.0);
  }
  std::vector<double> norms;
  for (int32_t c = 0; c < model.customer_count(); ++c) norms.push_back(squared_norm(model.profile_matrix().row(c)));
  const ModelConstants& constants = model.constants;
  const RidgeRule rule{constants.unobserved_weight, constants.regularization, constants.regularization_exponent,
                       constants.training_customer_count};
  std::vector<float> items;
  for (int64_t i = 0; i < by_item.row_count(); ++i) {
    double weight = 0;  // trace of the sum of c p pᵀ over its customers
    const auto customers = columns_of(by_item, i);
    for (size_t k = 0; k < customers.size(); ++k)
      weight += double{by_item.confidences[static_cast<size_t>(by_item.offsets[static_cast<size_t>(i)]) + k]} *
                norms[static_cast<size_t>(customers[k])];
    items.push_back(static_cast<float>(constants.unobserved_weight + (trace > 0 ? weight / trace : 0)));
    items.push_back(static_cast<float>(rule.ridge(by_item.row_length(i))));
  }
  return {.noise_variance = 0, .basis = std::move(rows), .items = std::move(items)};
}

SparseRows later_pairs(const Dataset& dataset, std::span<const uint8_t> in_part, const TrainingSet& set, const RowMaps& rows) {
  const SparseRows& before = set.interactions.by_customer;
  SparseRows out;
  out.column_count = before.column_count;
  const auto close_rows_before = [&](int64_t row) {
    out.offsets.resize(static_cast<size_t>(row) + 1, static_cast<int64_t>(out.columns.size()));
  };
  const auto item_of = [&](size_t e) {
    return in_part.empty() || in_part[e] ? rows.items[static_cast<size_t>(dataset.events.items[e])] : kNone;
  };
  for_each_history(dataset, set.rules, item_of, [&](CustomerIndex customer, const std::vector<HistoryEntry>& history) {
    const int32_t row = rows.customers[static_cast<size_t>(customer)];
    if (row == kNone) return;
    close_rows_before(row);  // customers come by rising row
    const auto known = columns_of(before, row);
    for (const HistoryEntry& entry : history) {
      if (std::binary_search(known.begin(), known.end(), entry.item)) continue;
      out.columns.push_back(entry.item);
      out.confidences.push_back(entry.confidence);
      out.targets.push_back(entry.target);
    }
  });
  close_rows_before(before.row_count());
  return out;
}

absl::StatusOr<double> fit_noise_variance(const LoadedModel& loaded, const Model& model, const Uncertainty& uncertainty,
                                          const Interactions& fitted, const SparseRows& later, uint64_t seed) {
  if (uncertainty.basis.empty()) return 0;
  auto profiler = loaded.make_profiler({.max_batch = 1});
  if (!profiler.ok()) return profiler.status();
  NoiseFit fit(model, uncertainty, fitted, later);
  for (const int64_t row : drawn_customers(later, seed))
    if (absl::Status s = fit.add(**profiler, row); !s.ok()) return s;
  if (static_cast<int64_t>(fit.residuals().size()) < kLeastNoisePairs) return 0;
  return solve_noise(fit.residuals());
}

}  // namespace bouquet::training
