#include "cpu_fallback/cpu_training.h"

#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "cpu_fallback/attribute_step.h"
#include "cpu_fallback/half_step.h"
#include "cpu_fallback/objective.h"
#include "engine/checkpoint_checks.h"
#include "engine/errors.h"
#include "engine/initial_factors.h"
#include "engine/ridge_rule.h"
#include "engine/seconds_since.h"

namespace bouquet::cpu {
namespace {

FactorTable initial_profiles(uint64_t seed, int32_t customers, int32_t d) {
  FactorTable table(customers, d);
  for (int32_t u = 0; u < customers; ++u) fill_initial_factors(seed, FactorSide::kCustomers, u, {table.row(u), 1, d});
  return table;
}

PriorMap map_of(const AttributeTable& attributes, int32_t d) {
  return attributes.empty() ? PriorMap() : PriorMap(attributes.column_count, attributes.dense_count, d);
}

class CpuTraining final : public TrainingSession {
 public:
  CpuTraining(const Interactions& interactions, const TrainingOptions& options, std::shared_ptr<ThreadPool> pool)
      : interactions_(interactions),
        options_(options),
        pool_(std::move(pool)),
        rules_{ridge_rule_of(options, interactions.item_count()), ridge_rule_of(options, interactions.customer_count())},
        profiles_(initial_profiles(options.seed, interactions.customer_count(), options.dimension)),
        item_vectors_(interactions.item_count(), options.dimension),
        profile_source_(profiles_, options.unobserved_weight),
        item_source_(item_vectors_, options.unobserved_weight),
        customer_prior_(map_of(interactions.customer_attributes, options.dimension)),
        item_prior_(map_of(interactions.item_attributes, options.dimension)),
        item_step_("item", interactions.by_item, profile_source_, rules_.items, interactions.item_attributes, item_prior_, pool_->size()),
        customer_step_("customer", interactions.by_customer, item_source_, rules_.customers, interactions.customer_attributes,
                       customer_prior_, pool_->size()) {
    if (!interactions.customer_attributes.empty())
      customer_attribute_step_.emplace("customer", interactions.customer_attributes.rows(),
                                       ridges_of(interactions.by_customer, rules_.customers),
                                       column_ridges(interactions.customer_attributes.column_count,
                                                     options.customer_attribute_regularization, interactions.customer_attribute_ridges));
    if (!interactions.item_attributes.empty())
      item_attribute_step_.emplace("item", interactions.item_attributes.rows(), ridges_of(interactions.by_item, rules_.items),
                                   column_ridges(interactions.item_attributes.column_count, options.item_attribute_regularization,
                                                 interactions.item_attribute_ridges));
  }

  absl::StatusOr<EpochStats> run_epoch() override {
    const auto start = std::chrono::steady_clock::now();
    const bool attributes = has_attribute_step(options_, epoch_);
    profile_source_.refresh(gram_of(profiles_, *pool_), *pool_);
    double attribute_seconds = 0;
    const auto attribute_step = [&](std::optional<AttributeStep>& step, const FactorTable& vectors, PriorMap& prior) {
      if (!attributes || !step) return absl::OkStatus();
      const auto begin = std::chrono::steady_clock::now();
      const absl::Status done = step->run(vectors, prior, *pool_);
      attribute_seconds += seconds_since(begin);
      return done;
    };
    if (absl::Status s = attribute_step(item_attribute_step_, item_vectors_, item_prior_); !s.ok()) return s;
    if (absl::Status s = item_step_.run(item_vectors_, *pool_); !s.ok()) return s;
    item_gram_ = gram_of(item_vectors_, *pool_);
    item_source_.refresh(item_gram_, *pool_);
    if (absl::Status s = attribute_step(customer_attribute_step_, profiles_, customer_prior_); !s.ok()) return s;
    if (absl::Status s = customer_step_.run(profiles_, *pool_); !s.ok()) return s;
    const double seconds = seconds_since(start);
    double sum = objective(interactions_, profiles_, item_vectors_, rules_, {customer_prior_, item_prior_}, *pool_);
    if (customer_attribute_step_) sum += customer_attribute_step_->penalty();
    if (item_attribute_step_) sum += item_attribute_step_->penalty();
    return EpochStats{++epoch_, sum, seconds, attribute_seconds};
  }

  absl::StatusOr<Model> snapshot() const override {
    if (epoch_ == 0) return absl::FailedPreconditionError("a snapshot needs at least one finished epoch");
    Model model;
    model.dimension = options_.dimension;
    model.profiles = unpadded(profiles_);
    model.item_vectors = unpadded(item_vectors_);
    model.item_gram = item_gram_;
    model.customer_prior = prior_of(interactions_.customer_attributes, customer_prior_);
    model.item_prior = prior_of(interactions_.item_attributes, item_prior_);
    model.constants = {options_.unobserved_weight, options_.regularization, options_.regularization_exponent, interactions_.item_count(),
                       interactions_.customer_count()};
    return model;
  }

  absl::Status go_on_from(const Model& model, int32_t epoch) override {
    if (absl::Status s = check_checkpoint(model, epoch, interactions_, options_, epoch_); !s.ok()) return s;
    profiles_.assign(model.profile_matrix());
    item_vectors_.assign(model.item_matrix());
    item_gram_.assign(model.item_gram.begin(), model.item_gram.end());
    const auto take = [&](const AttributePrior& from, PriorMap& prior, std::optional<AttributeStep>& step) {
      if (!step) return;
      prior.assign({from.map.data(), from.map.size() / options_.dimension, options_.dimension});
      step->go_on_from(from.map.view());
    };
    take(model.customer_prior, customer_prior_, customer_attribute_step_);
    take(model.item_prior, item_prior_, item_attribute_step_);
    epoch_ = epoch;
    return absl::OkStatus();
  }

 private:
  static AttributePrior prior_of(const AttributeTable& attributes, const PriorMap& prior) {
    if (attributes.empty()) return {};
    return {attributes.dense_count, unpadded(prior.table())};
  }
  static std::vector<float> unpadded(const FactorTable& table) {
    std::vector<float> values(static_cast<size_t>(table.rows() * table.dimension()));
    table.copy_to({values.data(), table.rows(), table.dimension()});
    return values;
  }

  const Interactions& interactions_;
  const TrainingOptions options_;
  const std::shared_ptr<ThreadPool> pool_;
  const ObjectiveRules rules_;
  FactorTable profiles_;
  FactorTable item_vectors_;
  SolveSource profile_source_;
  SolveSource item_source_;
  PriorMap customer_prior_, item_prior_;
  HalfStep item_step_;
  HalfStep customer_step_;
  std::optional<AttributeStep> customer_attribute_step_, item_attribute_step_;
  std::vector<float> item_gram_;
  int32_t epoch_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TrainingSession>> start_cpu_training(const Interactions& interactions, const TrainingOptions& options,
                                                                    std::shared_ptr<ThreadPool> pool) {
  if (absl::Status s = validate(options); !s.ok()) return s;
  if (absl::Status s = validate(interactions); !s.ok()) return s;
  try {
    return std::make_unique<CpuTraining>(interactions, options, std::move(pool));
  } catch (const std::bad_alloc&) {
    return no_resource("there is not enough memory to train " + std::to_string(interactions.customer_count()) + " profiles and " +
                       std::to_string(interactions.item_count()) + " items of dimension " + std::to_string(options.dimension));
  }
}

}  // namespace bouquet::cpu
