#include "cuda/cuda_training.h"

#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuda/call_clock.h"
#include "cuda/factor_array.h"
#include "cuda/gram.h"
#include "cuda/half_step.h"
#include "cuda/libraries.h"
#include "cuda/nvtx_range.h"
#include "cuda/objective.h"
#include "cuda/solve_source.h"
#include "cuda/status.h"
#include "cuda/trained_prior.h"
#include "cuda/wait_at_exit.h"
#include "engine/attribute_fit.h"
#include "engine/checkpoint_checks.h"
#include "engine/errors.h"
#include "engine/initial_factors.h"
#include "engine/seconds_since.h"

namespace bouquet::cuda {
namespace {

constexpr int32_t kNoRow = std::numeric_limits<int32_t>::max();

// Both half-steps of a training as they are planned before anything is allocated.
struct TrainingPlan {
  TrainingPlan(const Interactions& interactions, int32_t d)
      : items(plan_half_step(interactions.by_item.offsets, d, most_partial_sums(d))),
        customers(plan_half_step(interactions.by_customer.offsets, d, most_partial_sums(d))),
        slots(std::max(items.slots, customers.slots)),
        rows(std::max(interactions.item_count(), interactions.customer_count())) {}

  HalfStepPlan items, customers;
  int32_t slots, rows;
};

AttributeStepOptions step_options(const TrainingOptions& options, Side side) {
  if (side == Side::kCustomers) return {"customer", options.dimension};
  return {"item", options.dimension};
}

MemoryTable memory_of(const Interactions& interactions, const TrainingPlan& plan, const TrainingOptions& options, int capability) {
  const int32_t d = options.dimension;
  MemoryTable table;
  for (const int64_t rows : {interactions.customer_count(), interactions.item_count()}) {
    table.add("factors", FactorArray::bytes(rows, d));
    SolveSource::count_memory(rows, d, table);
    table.add("Gram matrices", int64_t{d} * d * int64_t{sizeof(double)});
  }
  HalfStep::count_memory(interactions.by_customer, plan.customers, table);
  HalfStep::count_memory(interactions.by_item, plan.items, table);
  SolveScratch::count_memory(d, plan.slots, plan.rows, table);
  GramSums::count_memory(d, table);
  table.add("Gram matrices", int64_t{d} * d * int64_t{sizeof(float)});
  EigenScratch::count_memory(d, table);
  BlasHandle::count_memory(capability, table);
  Objective::count_memory(table);
  if (!interactions.customer_attributes.empty())
    TrainedPrior::count_memory(interactions.customer_attributes, step_options(options, Side::kCustomers), table);
  if (!interactions.item_attributes.empty())
    TrainedPrior::count_memory(interactions.item_attributes, step_options(options, Side::kItems), table);
  return table;
}

class CudaTraining final : public TrainingSession {
 public:
  CudaTraining(const Interactions& interactions, const TrainingOptions& options, const TrainingPlan& plan,
               std::shared_ptr<const Device> device)
      : device_(std::move(device)),
        interactions_(interactions),
        options_(options),
        pair_count_(interactions.pair_count()),
        stream_(*device_),
        blas_(stream_),
        solver_(stream_),
        profiles_(interactions.customer_count(), options.dimension, stream_),
        item_vectors_(interactions.item_count(), options.dimension, stream_),
        item_step_(interactions.by_item, plan.items, rule(interactions.customer_count()), stream_),
        customer_step_(interactions.by_customer, plan.customers, rule(interactions.item_count()), stream_),
        profile_source_(profiles_.data(), profiles_.rows(), options.dimension, options.unobserved_weight, stream_),
        item_source_(item_vectors_.data(), item_vectors_.rows(), options.dimension, options.unobserved_weight, stream_),
        scratch_(options.dimension, plan.slots, plan.rows, stream_),
        gram_sums_(options.dimension, stream_),
        profile_gram_(gram_size(), stream_),
        item_gram_(gram_size(), stream_),
        rounded_gram_(gram_size(), stream_),
        eigen_(options.dimension, solver_, stream_),
        objective_(stream_),
        failed_(1, stream_),
        host_failed_(1) {
    const int32_t d = options.dimension;
    profiles_.fill(
        [&](int64_t first, int64_t count, float* to) {
          for (int64_t r = 0; r < count; ++r)
            fill_initial_factors(options.seed, FactorSide::kCustomers, first + r, {to + r * profiles_.stride(), 1, d});
        },
        stream_);
    const std::vector<double> customer_ridges = column_ridges(
        interactions.customer_attributes.column_count, options.customer_attribute_regularization, interactions.customer_attribute_ridges);
    const std::vector<double> item_ridges =
        column_ridges(interactions.item_attributes.column_count, options.item_attribute_regularization, interactions.item_attribute_ridges);
    const WaitAtExit wait(stream_);
    if (!interactions.customer_attributes.empty())
      customer_prior_.emplace(interactions.customer_attributes, interactions.by_customer, rule(interactions.item_count()), customer_step_,
                              customer_ridges, step_options(options, Side::kCustomers), solver_, stream_);
    if (!interactions.item_attributes.empty())
      item_prior_.emplace(interactions.item_attributes, interactions.by_item, rule(interactions.customer_count()), item_step_, item_ridges,
                          step_options(options, Side::kItems), solver_, stream_);
  }

  // Pinned memory must not go while a copy may still use it.
  ~CudaTraining() override {
    device_->use_to_release();
    cudaStreamSynchronize(stream_.get());
  }

  absl::StatusOr<EpochStats> run_epoch() override {
    const NvtxRange range("bouquet: run_epoch");
    if (is_half_set_) return absl::FailedPreconditionError("the session did not get all of its checkpoint: start another one");
    auto stats = guarded(*device_, "training", [&]() -> absl::StatusOr<EpochStats> { return epoch(); });
    if (!stats.ok()) cudaStreamSynchronize(stream_.get());  // the next epoch writes what copies of this one may still read
    return stats;
  }

  absl::Status time_on_device() override {
    return guarded(*device_, "making events", [&] {
      clock_.start();
      return absl::OkStatus();
    });
  }
  std::optional<double> device_seconds() const override { return clock_.seconds(); }

  absl::StatusOr<Model> snapshot() const override {
    const NvtxRange range("bouquet: snapshot");
    if (epoch_ == 0) return absl::FailedPreconditionError("a snapshot needs at least one finished epoch");
    return guarded(*device_, "reading the model back", [&]() -> absl::StatusOr<Model> {
      Model model;
      model.dimension = options_.dimension;
      model.profiles = profiles_.to_host(stream_);
      model.item_vectors = item_vectors_.to_host(stream_);
      model.item_gram = host_item_gram_;
      if (customer_prior_) model.customer_prior = customer_prior_->to_host(stream_);
      if (item_prior_) model.item_prior = item_prior_->to_host(stream_);
      model.constants = {options_.unobserved_weight, options_.regularization, options_.regularization_exponent, item_vectors_.rows(),
                         profiles_.rows()};
      return model;
    });
  }

  absl::Status go_on_from(const Model& model, int32_t epoch) override {
    const NvtxRange range("bouquet: go_on_from");
    if (absl::Status s = check_checkpoint(model, epoch, interactions_, options_, epoch_); !s.ok()) return s;
    is_half_set_ = true;
    return guarded(*device_, "going on from a checkpoint", [&] {
      profiles_.assign(model.profile_matrix(), stream_);
      item_vectors_.assign(model.item_matrix(), stream_);
      if (customer_prior_) customer_prior_->go_on_from(model.customer_prior, stream_);
      if (item_prior_) item_prior_->go_on_from(model.item_prior, stream_);
      host_item_gram_.assign(model.item_gram.begin(), model.item_gram.end());
      sum_gram(profiles_, profile_gram_);
      stream_.synchronize();
      epoch_ = epoch;
      is_half_set_ = false;
      return absl::OkStatus();
    });
  }

 private:
  int64_t gram_size() const { return int64_t{options_.dimension} * options_.dimension; }
  RidgeRule rule(int64_t fixed_count) const { return ridge_rule_of(options_, fixed_count); }

  void sum_gram(const FactorArray& factors, DeviceArray<double>& gram) {
    const NvtxRange range("Gram matrix");
    gram_sums_.sum(factors.data(), factors.rows(), gram.data(), blas_, stream_);
  }

  absl::Status attribute_step(std::optional<TrainedPrior>& prior, const FactorArray& vectors) {
    if (!prior || !has_attribute_step(options_, epoch_)) return absl::OkStatus();
    const NvtxRange range("attribute step");
    stream_.synchronize();
    const auto begin = std::chrono::steady_clock::now();
    const absl::Status fitted = prior->fit(vectors, {blas_, solver_, stream_});
    stream_.synchronize();
    attribute_seconds_ += seconds_since(begin);
    return fitted;
  }

  // What is solved by a half-step.
  struct SolvedSide {
    const char* name;
    const HalfStep& step;
    FactorArray& vectors;
    std::optional<TrainedPrior>& prior;
  };

  // Prepares the fixed side, and solves the other against it, after its attribute step where there is one. Waits for the stream.
  absl::Status half_step(const SolvedSide& side, SolveSource& fixed, const DeviceArray<double>& gram) {
    const NvtxRange range(side.name);
    if (absl::Status s = attribute_step(side.prior, side.vectors); !s.ok()) return s;
    round_gram(gram.data(), options_.dimension, rounded_gram_.data(), stream_);
    fixed.refresh(rounded_gram_.data(), eigen_, blas_, solver_, stream_);
    host_failed_[0] = kNoRow;
    failed_.upload(std::as_const(host_failed_).span());
    const RowPriors priors = side.prior ? side.prior->for_half_step(fixed, blas_) : RowPriors{};
    side.step.run(fixed, scratch_, priors,
                  {.solved = side.vectors.data(), .stride = side.vectors.stride(), .cholesky = nullptr, .failed = failed_.data()}, stream_);
    failed_.download(host_failed_.span());
    stream_.synchronize();
    if (host_failed_[0] == kNoRow) return absl::OkStatus();
    return wrong_usage(std::string(side.name) + " row " + std::to_string(host_failed_[0]) +
                       ": its matrix is not positive definite; a larger --regularization keeps it so");
  }

  absl::StatusOr<EpochStats> epoch() {
    const auto start = std::chrono::steady_clock::now();
    attribute_seconds_ = 0;
    clock_.begin(stream_);
    if (epoch_ == 0) sum_gram(profiles_, profile_gram_);
    if (absl::Status s = half_step({"item", item_step_, item_vectors_, item_prior_}, profile_source_, profile_gram_); !s.ok()) return s;
    sum_gram(item_vectors_, item_gram_);
    if (absl::Status s = half_step({"customer", customer_step_, profiles_, customer_prior_}, item_source_, item_gram_); !s.ok()) return s;
    host_item_gram_.resize(static_cast<size_t>(gram_size()));
    rounded_gram_.download(host_item_gram_);
    sum_gram(profiles_, profile_gram_);  // of the objective, and of the next epoch
    clock_.end(stream_);
    stream_.synchronize();
    const double seconds = seconds_since(start);
    clock_.read();

    const NvtxRange range("objective");
    const double objective = objective_.evaluate(
        {customer_step_.pairs(), profiles_.rows(), profiles_.data(), profile_gram_.data(), of_objective(customer_prior_)},
        {item_step_.pairs(), item_vectors_.rows(), item_vectors_.data(), item_gram_.data(), of_objective(item_prior_)}, pair_count_,
        options_.dimension, options_.unobserved_weight, stream_);
    return EpochStats{++epoch_, objective, seconds, attribute_seconds_};
  }

  ObjectivePrior of_objective(std::optional<TrainedPrior>& prior) { return prior ? prior->for_objective(stream_) : ObjectivePrior{}; }

  const std::shared_ptr<const Device> device_;
  const Interactions& interactions_;
  const TrainingOptions options_;
  const int64_t pair_count_;
  const Stream stream_;  // outlives all that follows
  const BlasHandle blas_;
  const SolverHandle solver_;
  FactorArray profiles_, item_vectors_;
  const HalfStep item_step_, customer_step_;
  SolveSource profile_source_, item_source_;
  SolveScratch scratch_;
  GramSums gram_sums_;
  DeviceArray<double> profile_gram_, item_gram_;
  DeviceArray<float> rounded_gram_;
  EigenScratch eigen_;
  Objective objective_;
  std::optional<TrainedPrior> customer_prior_, item_prior_;
  DeviceArray<int32_t> failed_;
  PinnedArray<int32_t> host_failed_;
  std::vector<float> host_item_gram_;
  CallClock clock_;
  int32_t epoch_ = 0;
  bool is_half_set_ = false;      // by a go_on_from() that failed
  double attribute_seconds_ = 0;  // of the epoch that runs
};

}  // namespace

absl::StatusOr<std::unique_ptr<TrainingSession>> start_cuda_training(const Interactions& interactions, const TrainingOptions& options,
                                                                     std::shared_ptr<const Device> device) {
  const NvtxRange range("bouquet: start_training");
  if (absl::Status s = validate(options); !s.ok()) return s;
  if (absl::Status s = validate(interactions); !s.ok()) return s;
  return guarded(*device, "starting a training", [&]() -> absl::StatusOr<std::unique_ptr<TrainingSession>> {
    const TrainingPlan plan(interactions, options.dimension);
    const absl::Status fits = check_fits(memory_of(interactions, plan, options, device->properties().capability), device->free_bytes(),
                                         "training", "A smaller --dimension, fewer events (--where, --since) or a larger device fits.");
    if (!fits.ok()) return fits;
    return std::make_unique<CudaTraining>(interactions, options, plan, device);
  });
}

MemoryTable training_memory(const Interactions& interactions, const TrainingOptions& options, int capability) {
  return memory_of(interactions, TrainingPlan(interactions, options.dimension), options, capability);
}

}  // namespace bouquet::cuda
