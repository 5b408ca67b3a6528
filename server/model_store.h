// The model that serves, and its replacement: CURRENT of the models directory is watched; a new version is verified and loaded beside
// the old one and then takes its place. A version that cannot be served is refused, and the old one serves on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/models_directory.h"
#include "server/profile_solver.h"
#include "server/recommender.h"
#include "server/served_model.h"

namespace bouquet::server {

// What is newer than a model. The first two or neither.
struct LiveModel {
  std::shared_ptr<const LiveSource> source;
  std::shared_ptr<FreshProfiles> profiles;
  FreshProfileObserver* observer = nullptr;  // may be none

  LiveKnowledge knowledge() const { return {source.get(), profiles.get(), observer}; }
};

// A model that serves, with the scratch memory of every worker, so that a swap allocates nothing under load. A request holds one from
// the start of its work to the end.
struct ServingModel {
  std::shared_ptr<const ServedModel> model;
  LiveModel live;
  std::vector<std::unique_ptr<Recommender>> recommenders;  // [workers], one each
  std::unique_ptr<ProfileSolver> solver;                   // of what is to be solved ahead; may be none
};

// What happened, for logs and metrics. Thread-safe where several stores tell it.
class ModelObserver {
 public:
  virtual ~ModelObserver() = default;
  virtual void model_loaded(const ServedModel& /*model*/, double /*seconds*/) {}
  virtual void model_refused(const std::string& /*version*/, const absl::Status& /*why*/) {}
};

struct ModelStoreOptions {
  int32_t workers = 1;
  int32_t max_batch = 64;
  AnswerSettings answers;    // outlive the store
  bool solve_ahead = false;  // models that are live get a ProfileSolver
  std::chrono::milliseconds poll_interval{200};
  std::chrono::milliseconds retry_interval{10000};  // between tries of a version that was refused for a reason which may pass
  // What is newer than a model that is to serve; empty: nothing ever is. An error refuses the model.
  std::function<absl::StatusOr<LiveModel>(const ServedModel&)> go_live = {};
  // What serves in a model's place: itself once it is ready, or one with more items. An error refuses it.
  std::function<absl::StatusOr<std::shared_ptr<const ServedModel>>(const std::shared_ptr<const ServedModel>&)> prepare = {};
};

// Thread-safe.
class ModelStore {
 public:
  // `backend` and `observer` outlive the store. Nothing is loaded yet.
  ModelStore(ModelsDirectory directory, Backend& backend, ModelStoreOptions options, ModelObserver* observer = nullptr);
  ~ModelStore();
  ModelStore(const ModelStore&) = delete;
  ModelStore& operator=(const ModelStore&) = delete;

  // nullptr until a version was loaded.
  std::shared_ptr<ServingModel> serving() const;

  // Looks at CURRENT and serves what it names, if that is another version than the one that serves. One that was refused is tried again
  // when CURRENT has named another meanwhile; where the reason may pass, also after retry_interval. Errors: NotFound (nothing was ever
  // activated), DataLoss (damaged), those of the backend. The old version then serves on.
  absl::Status refresh();

  // Verifies and loads `version`, serves it and makes it CURRENT. With validate_only it is let go again. Errors: NotFound (no such
  // version), those of refresh() otherwise; nothing has changed then.
  absl::Status activate(const std::string& version, bool validate_only);
  // Activates the newest version older than the one that serves. Errors: FailedPrecondition (there is none), those of activate.
  absl::Status roll_back();

  // Prepares the model that serves once more, and serves what comes of it. Errors: those of `prepare`; the present one serves on then.
  absl::Status prepare_again();

  // Calls refresh() every poll_interval from a thread of its own, until the store is destroyed.
  void start_watching();

  const ModelsDirectory& directory() const { return directory_; }

 private:
  absl::StatusOr<std::shared_ptr<ServingModel>> load(const std::string& version);
  absl::StatusOr<std::shared_ptr<ServingModel>> with_recommenders(std::shared_ptr<const ServedModel> model) const;
  void serve(std::shared_ptr<ServingModel> model);
  absl::Status refresh_locked();
  absl::Status activate_locked(const std::string& version, bool validate_only);

  // What CURRENT names and cannot be served.
  struct Refused {
    std::string version;  // empty: none
    absl::Status why;
    std::chrono::steady_clock::time_point at;
  };
  bool may_try(const std::string& version) const;

  const ModelsDirectory directory_;
  Backend& backend_;
  const ModelStoreOptions options_;
  ModelObserver* const observer_;
  std::mutex changes_;        // one change at a time
  Refused refused_;           // guarded by changes_
  mutable std::mutex mutex_;  // guards serving_
  std::shared_ptr<ServingModel> serving_;
  std::mutex watch_mutex_;
  std::condition_variable watch_ends_;
  bool ending_ = false;
  std::thread watcher_;
};

}  // namespace bouquet::server
