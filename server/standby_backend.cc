#include "server/standby_backend.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "engine/device_loss.h"
#include "engine/errors.h"

namespace bouquet::server {

class DeviceState {
 public:
  bool lost() const { return lost_.load(std::memory_order_acquire); }
  std::string why() const {
    const std::lock_guard lock(mutex_);
    return why_;
  }
  // Whether the status tells of the loss; from then on the device is.
  bool notice(const absl::Status& status) {
    if (!is_device_lost(status)) return false;
    const std::lock_guard lock(mutex_);
    if (why_.empty()) why_ = message_of(status);
    lost_.store(true, std::memory_order_release);
    return true;
  }

 private:
  std::atomic<bool> lost_{false};
  mutable std::mutex mutex_;
  std::string why_;  // guarded by mutex_
};

namespace {

using State = std::shared_ptr<DeviceState>;

// One thing in both places. `device` is empty if it was made after the loss.
template <typename T>
struct Pair {
  T device, standby;
};

// What `make` makes of each backend's `from`. A device that is merely full is an error: nothing is served half.
template <typename T, typename From, typename Make>
absl::StatusOr<Pair<T>> make_both(const State& state, const From& device, const From& standby, const Make& make) {
  absl::StatusOr<T> second = make(*standby);
  if (!second.ok()) return second.status();
  if (device == nullptr || state->lost()) return Pair<T>{{}, *std::move(second)};
  absl::StatusOr<T> first = make(*device);
  if (first.ok()) return Pair<T>{*std::move(first), *std::move(second)};
  if (state->notice(first.status())) return Pair<T>{{}, *std::move(second)};
  return first.status();
}

// Base of what calls go through.
template <typename Interface>
class InEitherPlace : public Interface {
 public:
  InEitherPlace(Pair<std::unique_ptr<Interface>> made, State state) : made_(std::move(made)), state_(std::move(state)) {}
  absl::Status time_on_device() override { return on_device() ? made_.device->time_on_device() : made_.standby->time_on_device(); }
  std::optional<double> device_seconds() const override { return on_device() ? made_.device->device_seconds() : std::nullopt; }

 protected:
  template <typename Ask>
  absl::Status call(const Ask& ask) {
    if (on_device())
      if (absl::Status s = ask(*made_.device); !state_->notice(s)) return s;
    return ask(*made_.standby);
  }

 private:
  bool on_device() const { return made_.device != nullptr && !state_->lost(); }

  const Pair<std::unique_ptr<Interface>> made_;
  const State state_;
};

class StandbyRanker final : public InEitherPlace<Ranker> {
 public:
  using InEitherPlace::InEitherPlace;
  absl::Status rank(const QueryBatch& queries, RankedRows ranked) override {
    return call([&](Ranker& ranker) { return ranker.rank(queries, ranked); });
  }
};

class StandbyProfiler final : public InEitherPlace<Profiler> {
 public:
  using InEitherPlace::InEitherPlace;
  absl::Status solve(const HistoryBatch& histories, ProfileBatch solved) override {
    return call([&](Profiler& profiler) { return profiler.solve(histories, solved); });
  }
};

using SharedModel = std::shared_ptr<const LoadedModel>;

class StandbyModel final : public LoadedModel {
 public:
  StandbyModel(Pair<SharedModel> made, State state) : made_(std::move(made)), state_(std::move(state)) {}

  absl::StatusOr<std::unique_ptr<Ranker>> make_ranker(Side side, RankerLimits limits) const override {
    return both<Ranker, StandbyRanker>([&](const LoadedModel& model) { return model.make_ranker(side, limits); });
  }
  absl::StatusOr<std::unique_ptr<Profiler>> make_profiler(ProfilerLimits limits) const override {
    return both<Profiler, StandbyProfiler>([&](const LoadedModel& model) { return model.make_profiler(limits); });
  }
  absl::StatusOr<SharedModel> with(const ModelDelta& delta) const override {
    auto made = make_both<SharedModel>(state_, made_.device, made_.standby, [&](const LoadedModel& model) { return model.with(delta); });
    if (!made.ok()) return made.status();
    return std::make_shared<const StandbyModel>(*std::move(made), state_);
  }

 private:
  template <typename Interface, typename Standby, typename Make>
  absl::StatusOr<std::unique_ptr<Interface>> both(const Make& make) const {
    auto made = make_both<std::unique_ptr<Interface>>(state_, made_.device, made_.standby, make);
    if (!made.ok()) return made.status();
    return std::make_unique<Standby>(*std::move(made), state_);
  }

  const Pair<SharedModel> made_;
  const State state_;
};

}  // namespace

StandbyBackend::StandbyBackend(std::unique_ptr<Backend> device, std::unique_ptr<Backend> standby)
    : device_(std::move(device)), standby_(std::move(standby)), state_(std::make_shared<DeviceState>()) {}
StandbyBackend::~StandbyBackend() = default;

std::string StandbyBackend::lost_because() const { return state_->why(); }

std::string StandbyBackend::description() const {
  return device_->description() + (state_->lost() ? ", lost; in its place " : "; standing by: ") + standby_->description();
}

absl::StatusOr<SharedModel> StandbyBackend::load(const Model& model) {
  auto made = make_both<SharedModel>(state_, device_, standby_, [&](Backend& backend) { return backend.load(model); });
  if (!made.ok()) return made.status();
  return std::make_shared<const StandbyModel>(*std::move(made), state_);
}

}  // namespace bouquet::server
