#include "tests/server/failing_backend.h"

#include <utility>

#include "cpu_fallback/cpu_backend.h"

namespace bouquet::server {
namespace {

using SharedFault = std::shared_ptr<Fault>;

class FailingRanker final : public Ranker {
 public:
  FailingRanker(std::unique_ptr<Ranker> inner, SharedFault fault) : inner_(std::move(inner)), fault_(std::move(fault)) {}
  absl::Status rank(const QueryBatch& queries, RankedRows ranked) override {
    if (absl::Status s = fault_->call(); !s.ok()) return s;
    return inner_->rank(queries, ranked);
  }

 private:
  const std::unique_ptr<Ranker> inner_;
  const SharedFault fault_;
};

class FailingProfiler final : public Profiler {
 public:
  FailingProfiler(std::unique_ptr<Profiler> inner, SharedFault fault) : inner_(std::move(inner)), fault_(std::move(fault)) {}
  absl::Status solve(const HistoryBatch& histories, ProfileBatch solved) override {
    if (absl::Status s = fault_->call(); !s.ok()) return s;
    return inner_->solve(histories, solved);
  }

 private:
  const std::unique_ptr<Profiler> inner_;
  const SharedFault fault_;
};

class FailingModel final : public LoadedModel {
 public:
  FailingModel(std::shared_ptr<const LoadedModel> inner, SharedFault fault) : inner_(std::move(inner)), fault_(std::move(fault)) {}
  absl::StatusOr<std::unique_ptr<Ranker>> make_ranker(Side side, RankerLimits limits) const override {
    if (absl::Status s = fault_->call(); !s.ok()) return s;
    auto made = inner_->make_ranker(side, limits);
    if (!made.ok()) return made.status();
    return std::make_unique<FailingRanker>(*std::move(made), fault_);
  }
  absl::StatusOr<std::unique_ptr<Profiler>> make_profiler(ProfilerLimits limits) const override {
    if (absl::Status s = fault_->call(); !s.ok()) return s;
    auto made = inner_->make_profiler(limits);
    if (!made.ok()) return made.status();
    return std::make_unique<FailingProfiler>(*std::move(made), fault_);
  }
  absl::StatusOr<std::shared_ptr<const LoadedModel>> with(const ModelDelta& delta) const override {
    if (absl::Status s = fault_->call(); !s.ok()) return s;
    auto made = inner_->with(delta);
    if (!made.ok()) return made.status();
    return std::make_shared<const FailingModel>(*std::move(made), fault_);
  }

 private:
  const std::shared_ptr<const LoadedModel> inner_;
  const SharedFault fault_;
};

}  // namespace

void Fault::begin(int64_t n, const absl::Status& status) {
  status_ = status;
  first_.store(calls_.load() + n);
}

absl::Status Fault::call() { return calls_.fetch_add(1) + 1 >= first_.load() ? status_ : absl::OkStatus(); }

FailingBackend::FailingBackend(std::shared_ptr<Fault> fault) : inner_(*cpu::make_cpu_backend(1)), fault_(std::move(fault)) {}

absl::StatusOr<std::shared_ptr<const LoadedModel>> FailingBackend::load(const Model& model) {
  if (absl::Status s = fault_->call(); !s.ok()) return s;
  auto loaded = inner_->load(model);
  if (!loaded.ok()) return loaded.status();
  return std::make_shared<const FailingModel>(*std::move(loaded), fault_);
}

absl::StatusOr<std::unique_ptr<TrainingSession>> FailingBackend::start_training(const Interactions& interactions,
                                                                                const TrainingOptions& options) {
  return inner_->start_training(interactions, options);
}

}  // namespace bouquet::server
