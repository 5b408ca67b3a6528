#include "server/model_store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/errors.h"
#include "engine/seconds_since.h"

namespace bouquet::server {
namespace {

// Whether the version itself is at fault, whenever it is tried: it is damaged, or not for this program or these options. All else is of
// the machine: memory, descriptors, a device or a disk that does not answer now.
bool is_lasting(const absl::Status& why) {
  return absl::IsDataLoss(why) || absl::IsInvalidArgument(why) || absl::IsFailedPrecondition(why) || absl::IsUnimplemented(why);
}

}  // namespace

ModelStore::ModelStore(ModelsDirectory directory, Backend& backend, ModelStoreOptions options, ModelObserver* observer)
    : directory_(std::move(directory)), backend_(backend), options_(options), observer_(observer) {}

ModelStore::~ModelStore() {
  {
    const std::lock_guard lock(watch_mutex_);
    ending_ = true;
  }
  watch_ends_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

std::shared_ptr<ServingModel> ModelStore::serving() const {
  const std::lock_guard lock(mutex_);
  return serving_;
}

void ModelStore::serve(std::shared_ptr<ServingModel> model) {
  // The old model is let go outside the lock: unmapping it takes a while, and requests may hold it longer.
  const std::lock_guard lock(mutex_);
  serving_.swap(model);
}

absl::StatusOr<std::shared_ptr<ServingModel>> ModelStore::load(const std::string& version) {
  const auto begin = std::chrono::steady_clock::now();
  auto artifact = directory_.load(version);
  if (!artifact.ok()) return artifact.status();
  auto served = ServedModel::load(*std::move(artifact), backend_);
  if (!served.ok()) return served.status();
  if (options_.prepare) {
    auto prepared = options_.prepare(*served);
    if (!prepared.ok()) return prepared.status();
    served = *std::move(prepared);
  }
  auto serving = with_recommenders(*std::move(served));
  if (serving.ok() && observer_ != nullptr) observer_->model_loaded(*(*serving)->model, seconds_since(begin));
  return serving;
}

absl::StatusOr<std::shared_ptr<ServingModel>> ModelStore::with_recommenders(std::shared_ptr<const ServedModel> model) const {
  auto serving = std::make_shared<ServingModel>();
  serving->model = std::move(model);
  AnswerSettings answers = options_.answers;
  if (options_.go_live) {
    auto live = options_.go_live(*serving->model);
    if (!live.ok()) return live.status();
    serving->live = *std::move(live);
    answers.live = serving->live.knowledge();
  }
  for (int32_t w = 0; w < options_.workers; ++w) {
    auto recommender = Recommender::make(*serving->model, options_.max_batch, answers);
    if (!recommender.ok()) return recommender.status();
    serving->recommenders.push_back(*std::move(recommender));
  }
  if (options_.solve_ahead && answers.live.source != nullptr && serving->model->profiles() != nullptr) {
    auto solver = ProfileSolver::make(*serving->model, options_.max_batch, answers.live);
    if (!solver.ok()) return solver.status();
    serving->solver = *std::move(solver);
  }
  return serving;
}

absl::Status ModelStore::prepare_again() {
  const std::lock_guard lock(changes_);
  const auto now = serving();
  if (now == nullptr || !options_.prepare) return absl::OkStatus();
  auto prepared = options_.prepare(now->model);
  if (!prepared.ok()) return prepared.status();
  if (*prepared == now->model) return absl::OkStatus();
  auto next = with_recommenders(*std::move(prepared));
  if (!next.ok()) return next.status();
  serve(*std::move(next));
  return absl::OkStatus();
}

absl::Status ModelStore::refresh() {
  const std::lock_guard lock(changes_);
  return refresh_locked();
}

absl::Status ModelStore::refresh_locked() {
  auto current = directory_.current();
  if (!current.ok()) return current.status();
  const auto serving_now = serving();
  if (serving_now != nullptr && serving_now->model->version() == *current) return absl::OkStatus();
  if (!may_try(*current))
    return absl::Status(refused_.why.code(), "version " + *current + " was refused: " + std::string(message_of(refused_.why)));
  auto loaded = load(*current);
  if (!loaded.ok()) {
    refused_ = {.version = *current, .why = loaded.status(), .at = std::chrono::steady_clock::now()};
    if (observer_ != nullptr) observer_->model_refused(*current, loaded.status());
    return loaded.status();
  }
  refused_ = {};
  serve(*std::move(loaded));
  return absl::OkStatus();
}

bool ModelStore::may_try(const std::string& version) const {
  if (version != refused_.version) return true;
  return !is_lasting(refused_.why) && std::chrono::steady_clock::now() - refused_.at >= options_.retry_interval;
}

absl::Status ModelStore::activate(const std::string& version, bool validate_only) {
  const std::lock_guard lock(changes_);
  return activate_locked(version, validate_only);
}

absl::Status ModelStore::activate_locked(const std::string& version, bool validate_only) {
  const auto versions = directory_.versions();
  if (std::find(versions.begin(), versions.end(), version) == versions.end())
    return missing_input("there is no complete model version '" + version + "'");
  auto loaded = load(version);
  if (!loaded.ok()) {
    if (observer_ != nullptr) observer_->model_refused(version, loaded.status());
    return loaded.status();
  }
  if (validate_only) return absl::OkStatus();
  ModelsDirectory directory = directory_;
  if (absl::Status s = directory.activate(version); !s.ok()) return s;
  serve(*std::move(loaded));
  return absl::OkStatus();
}

absl::Status ModelStore::roll_back() {
  const std::lock_guard lock(changes_);
  const auto serving_now = serving();
  const auto versions = directory_.versions();  // oldest first
  std::string older;
  for (const std::string& version : versions)
    if (serving_now != nullptr && version < serving_now->model->version()) older = version;
  if (older.empty()) return absl::FailedPreconditionError("there is no version older than the one that serves");
  return activate_locked(older, false);
}

void ModelStore::start_watching() {
  watcher_ = std::thread([this] {
    std::unique_lock lock(watch_mutex_);
    while (!watch_ends_.wait_for(lock, options_.poll_interval, [this] { return ending_; })) {
      lock.unlock();
      refresh().IgnoreError();  // the observer was told
      lock.lock();
    }
  });
}

}  // namespace bouquet::server
