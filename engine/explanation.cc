#include "engine/explanation.h"

#include <cmath>

#include "engine/ridge_rule.h"
#include "engine/score.h"
#include "engine/side_by_side.h"

namespace bouquet {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t j = 0; j < a.size(); ++j) sum += double{a[j]} * double{b[j]};
  return sum;
}

// c qᵣᵀ W⁻¹ qᵣ: how much of the matrix the pair is.
double leverage(const Model& model, const SolvedCustomer& customer, size_t pair) {
  const auto d = static_cast<size_t>(model.dimension);
  SideBySide half(model.item_matrix(), customer.items.subspan(pair, 1));
  half.solve_lower(customer.cholesky, d);
  double sum = 0;
  for (size_t j = 0; j < d; ++j) sum += half.row(j)[0] * half.row(j)[0];
  return double{customer.confidences[pair]} * sum;
}

class Explainer {
 public:
  // One explanation for each of `wanted`, with these scores.
  Explainer(const Model& model, const SolvedCustomer& customer, SideBySide wanted, std::span<const double> scores)
      : model_(model), customer_(customer), solved_(std::move(wanted)), out_(scores.size()) {
    solved_.solve_lower(customer.cholesky, static_cast<size_t>(model.dimension));
    solved_.solve_upper(customer.cholesky, static_cast<size_t>(model.dimension));
    for (size_t k = 0; k < out_.size(); ++k) out_[k].score = scores[k];
  }

  std::vector<Explanation> run() {
    add_events();
    if (!model_.customer_prior.map.empty()) add_attributes();
    for (Explanation& e : out_) {
      double sum = e.intercept;
      for (const double x : e.events) sum += x;
      for (const AttributeContribution& a : e.attributes) sum += a.value;
      e.rest = e.score - sum;
    }
    return std::move(out_);
  }

 private:
  double target(size_t j) const { return customer_.targets.empty() ? 1.0 : double{customer_.targets[j]}; }

  void add_events() {
    const auto pairs = customer_.items;
    factors_.assign(customer_.confidences.begin(), customer_.confidences.end());
    solved_.products(model_.item_matrix(), pairs, factors_, products_);
    for (size_t k = 0; k < out_.size(); ++k) {
      out_[k].events.resize(pairs.size());
      for (size_t j = 0; j < pairs.size(); ++j) out_[k].events[j] = target(j) * product(j, k);
    }
    for (size_t j = 0; j < pairs.size(); ++j)
      if (target(j) == 0) add_return(j);
  }

  // Without the pair W loses c q qᵀ and the right side stays as it is (Sherman and Morrison 1950); rho is left as it was.
  void add_return(size_t j) {
    const auto q = model_.item_matrix().row(customer_.items[j]);
    const double effect = dot(q, customer_.profile) / (1 - leverage(model_, customer_, j));
    for (size_t k = 0; k < out_.size(); ++k) out_[k].returns_leave_one_out.emplace_back(j, -product(j, k) * effect);
  }

  void add_attributes() {
    const int32_t d = model_.dimension;
    const AttributePrior& prior = model_.customer_prior;
    const MatrixView<const float> map{prior.map.data(), int64_t{prior.column_count(d)} + 1, d};
    const ModelConstants& c = model_.constants;
    const RidgeRule rule{c.unobserved_weight, c.regularization, c.regularization_exponent, c.training_item_count};
    const double ridge = rule.ridge(static_cast<int64_t>(customer_.items.size()));
    columns_.clear();
    factors_.clear();
    const auto add = [&](int32_t column, float value) {
      if (value == 0) return;
      columns_.push_back(column);
      factors_.push_back(ridge * double{value});
    };
    const auto dense = customer_.attributes.dense_row(0);
    for (size_t f = 0; f < dense.size(); ++f) add(static_cast<int32_t>(f), dense[f]);
    const auto columns = customer_.attributes.row_columns(0);
    for (size_t i = 0; i < columns.size(); ++i) add(columns[i], customer_.attributes.row_values(0)[i]);
    const size_t count = columns_.size();
    columns_.push_back(static_cast<int32_t>(map.rows - 1));
    factors_.push_back(ridge);
    solved_.products(map, columns_, factors_, products_);
    for (size_t k = 0; k < out_.size(); ++k) {
      out_[k].attributes.resize(count);
      for (size_t i = 0; i < count; ++i) out_[k].attributes[i] = {columns_[i], product(i, k)};
      out_[k].intercept = product(count, k);
    }
  }

  double product(size_t row, size_t k) const { return products_[row * out_.size() + k]; }

  const Model& model_;
  const SolvedCustomer& customer_;
  SideBySide solved_;  // W⁻¹ q of each offered item
  std::vector<Explanation> out_;
  std::vector<int32_t> columns_;  // the attributes', then the intercept's
  std::vector<double> factors_;   // of the pairs; then of the columns
  std::vector<double> products_;  // of those with each offered item
};

}  // namespace

std::vector<Explanation> explain(const Model& model, const SolvedCustomer& customer, std::span<const int32_t> offered) {
  std::vector<double> scores;
  for (const int32_t item : offered)
    scores.push_back(double{score(customer.profile.data(), model.item_matrix().row(item).data(), model.dimension)});
  return Explainer(model, customer, SideBySide(model.item_matrix(), offered), scores).run();
}

std::vector<Explanation> explain(const Model& model, const SolvedCustomer& customer, MatrixView<const float> directions) {
  std::vector<double> scores;
  for (int64_t r = 0; r < directions.rows; ++r)
    scores.push_back(double{score(customer.profile.data(), directions.row(r).data(), model.dimension)});
  return Explainer(model, customer, SideBySide(directions), scores).run();
}

}  // namespace bouquet
