#include "tests/server/paced_backend.h"

#include <algorithm>
#include <utility>

#include "cpu_fallback/cpu_backend.h"

namespace bouquet::server {
namespace {

using Pause = std::shared_ptr<const PacedBackend::Pause>;

class PacedRanker final : public Ranker {
 public:
  PacedRanker(std::unique_ptr<Ranker> inner, Pause pause) : inner_(std::move(inner)), pause_(std::move(pause)) {}
  absl::Status rank(const QueryBatch& queries, RankedRows ranked) override {
    const int64_t count = std::max(static_cast<int64_t>(queries.rows.size()), queries.vectors.rows);
    if (count > 0) (*pause_)(static_cast<int32_t>(count));
    return inner_->rank(queries, ranked);
  }

 private:
  const std::unique_ptr<Ranker> inner_;
  const Pause pause_;
};

class PacedModel final : public LoadedModel {
 public:
  PacedModel(std::shared_ptr<const LoadedModel> inner, Pause pause) : inner_(std::move(inner)), pause_(std::move(pause)) {}
  absl::StatusOr<std::unique_ptr<Ranker>> make_ranker(Side side, RankerLimits limits) const override {
    auto ranker = inner_->make_ranker(side, limits);
    if (!ranker.ok()) return ranker.status();
    return std::make_unique<PacedRanker>(*std::move(ranker), pause_);
  }
  absl::StatusOr<std::unique_ptr<Profiler>> make_profiler(ProfilerLimits limits) const override { return inner_->make_profiler(limits); }

 private:
  const std::shared_ptr<const LoadedModel> inner_;
  const Pause pause_;
};

}  // namespace

PacedBackend::PacedBackend(Pause pause) : pause_(std::make_shared<const Pause>(std::move(pause))), inner_(*cpu::make_cpu_backend(1)) {}

absl::StatusOr<std::shared_ptr<const LoadedModel>> PacedBackend::load(const Model& model) {
  auto loaded = inner_->load(model);
  if (!loaded.ok()) return loaded.status();
  return std::make_shared<const PacedModel>(*std::move(loaded), pause_);
}

absl::StatusOr<std::unique_ptr<TrainingSession>> PacedBackend::start_training(const Interactions& interactions,
                                                                              const TrainingOptions& options) {
  return inner_->start_training(interactions, options);
}

}  // namespace bouquet::server
