// A running server: model, queue, workers and listeners, wired together, and how they stop without losing a request.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "server/action_rules.h"
#include "server/admin_pages.h"
#include "server/answer_log.h"
#include "server/answers_config.h"
#include "server/batcher.h"
#include "server/catalog_service.h"
#include "server/eager_solving.h"
#include "server/event_intake.h"
#include "server/event_store/erased_files.h"
#include "server/grpc_listener.h"
#include "server/item_catalog.h"
#include "server/live_customers.h"
#include "server/metrics.h"
#include "server/models_service.h"
#include "server/placements.h"
#include "server/profiles_service.h"
#include "server/recommendations_service.h"
#include "server/served_models.h"
#include "server/store_service.h"
#include "server/stored_inputs.h"

namespace bouquet::server {

struct ServingOptions {
  std::string models;
  std::string store;                                 // the folder of what calls say of items and customers; empty: none
  std::string backups;                               // of the store, made by the Store service; empty: none
  int32_t event_id_days = 0;                         // how long the store remembers event ids; 0: as it does
  int64_t fresh_profile_bytes = int64_t{256} << 20;  // for profiles that were solved again, of each model that serves
  int64_t most_unread_bytes = int64_t{24} << 20;     // of answers that streams have and nobody reads
  bool solve_ahead = false;                          // as soon as something new is recorded; else at the first request
  Placements placements;
  ActionRules actions;
  AnswersConfig answers;
  std::string listen = "127.0.0.1:50051";
  std::string admin = "127.0.0.1:8080";        // empty: none
  std::string admin_grpc = "127.0.0.1:50052";  // the Models and Store services; empty: none
  bool allow_remote = false;                   // listen and admin on addresses that other machines can reach
  bool wait_for_model = false;
  // Why answers come slower than they should; empty: they do not. Outlives the server.
  std::function<std::string()> degraded = [] { return std::string(); };
  GrpcListenerOptions grpc;
  BatcherOptions batcher;
  std::chrono::milliseconds poll_interval{200};
  std::chrono::milliseconds lame_duck{1000};     // between NOT_SERVING and the end of new calls
  std::chrono::milliseconds drain_grace{10000};  // for the calls that still run then
};

class Serving {
 public:
  // Loads the current model, then listens. `backend` outlives the server. Errors: InvalidArgument (options), NotFound and DataLoss (no
  // model, a damaged one), ResourceExhausted (memory, port).
  static absl::StatusOr<std::unique_ptr<Serving>> start(const ServingOptions& options, Backend& backend);
  ~Serving();

  // Says NOT_SERVING, waits out the lame-duck time, lets running calls finish, and stops. Takes at most lame_duck + drain_grace and a
  // batch.
  void stop();

  // To be called now and then (about every 100 ms): tells health checks when a model has come, and the log when the server is degraded.
  void update_health();

  ModelStore& models() { return models_.own(); }
  const std::string& address() const { return listener_->address(); }
  std::string admin_address() const { return pages_ == nullptr ? std::string() : pages_->address(); }
  std::string admin_grpc_address() const { return admin_listener_ == nullptr ? std::string() : admin_listener_->address(); }

 private:
  // What --store holds; nothing without one.
  struct Store {
    std::unique_ptr<StoreDatabase> database;
    std::unique_ptr<ItemCatalog> items;
    std::unique_ptr<LiveFeed> feed;
    std::unique_ptr<EagerSolving> ahead;  // where profiles are solved ahead
    std::unique_ptr<ErasedFiles> erased;
    std::unique_ptr<EventStore> events;  // tells the three before it
    std::unique_ptr<StoredInputs> inputs;
    std::unique_ptr<AnswerLog> log;      // where the configuration wants one
    std::unique_ptr<AnswerNames> names;  // without --store, until the process ends
  };

  static absl::StatusOr<Store> open_store(const ServingOptions& options, Metrics& metrics);
  Serving(const ServingOptions& options, ModelsDirectory directory, const DirectoriesOfPlacements& others, std::unique_ptr<Metrics> metrics,
          Store store, Backend& backend);
  absl::Status listen();
  // As ServedModels::OptionsOf.
  ModelStoreOptions store_options(const std::string& path, const DirectoriesOfPlacements& others);
  absl::Status check_placements();
  absl::StatusOr<LiveModel> live_of(const ServedModel& model) const;
  int64_t solve_ahead(std::span<const std::string> customer_ids);
  // `answered`: the placements that the model answers for.
  void check_configuration(std::span<const Placement> answered, bool is_own, const ServedModel& model) const;
  void execute(int32_t worker, std::span<const QueuedJob> batch, std::span<absl::Status> statuses);
  std::string not_ready() const;

  const ServingOptions options_;
  const std::unique_ptr<Metrics> metrics_;
  const Store store_;
  ServedModels models_;
  Batcher batcher_;
  EventIntake intake_;
  RecommendationsService recommendations_;
  ProfilesService profiles_;
  AudiencesService audiences_;
  ModelsService models_service_;
  CatalogService catalog_;
  StoreService store_service_;
  std::unique_ptr<AdminPages> pages_;
  std::unique_ptr<GrpcListener> admin_listener_;
  std::unique_ptr<GrpcListener> listener_;
  std::atomic<bool> draining_{false};
  bool healthy_ = false;
  bool stopped_ = false;
};

}  // namespace bouquet::server
