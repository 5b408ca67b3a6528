#include "server/serving.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "engine/errors.h"
#include "server/event_store/answer_key.h"
#include "server/file_shares.h"
#include "server/log.h"
#include "server/offer_counts.h"

namespace bouquet::server {
namespace {

constexpr int32_t kMaxAdminConnections = 16;
constexpr int32_t kMostEventIdDays = 3650;

absl::StatusOr<ListenAddress> checked_address(const std::string& flag, const std::string& text, bool allow_remote) {
  auto address = parse_listen_address(flag, text);
  if (!address.ok() || allow_remote || address->is_local()) return address;
  return wrong_usage(
      flag + " '" + text +
      "' can be reached from other machines, and the server asks for no identity: use 127.0.0.1 or unix:PATH behind a proxy, "
      "or say --allow-remote");
}

absl::Status check(const ServingOptions& options) {
  const BatcherOptions& b = options.batcher;
  if (b.workers < 1 || b.workers > 64) return wrong_usage("--workers is " + std::to_string(b.workers) + "; it must be 1 to 64");
  if (b.max_batch < 1 || b.max_batch > 1024) return wrong_usage("--max-batch is " + std::to_string(b.max_batch) + "; it must be 1 to 1024");
  if (b.queue.max_requests < 1) return wrong_usage("--max-queue must be at least 1");
  if (b.queue.max_bytes < options.grpc.max_message_bytes)
    return wrong_usage("--max-queue-bytes is less than the largest message (" + std::to_string(options.grpc.max_message_bytes) + ")");
  if (options.answers.log && options.store.empty())
    return wrong_usage("[answers] log = true keeps what comes with requests in the store: say --store DIR too");
  if (options.solve_ahead && options.store.empty()) return wrong_usage("--solve eager is of what is recorded: say --store DIR too");
  if (options.event_id_days != 0 && options.store.empty())
    return wrong_usage("--event-id-days is of what is recorded: say --store DIR too");
  if (options.event_id_days < 0 || options.event_id_days > kMostEventIdDays)
    return wrong_usage("--event-id-days is " + std::to_string(options.event_id_days) + "; it must be 1 to " +
                       std::to_string(kMostEventIdDays) + ", or 0 to leave it as the store has it");
  if (!options.backups.empty() && options.store.empty()) return wrong_usage("--backups are of a store: say --store DIR too");
  if (!options.backups.empty() && options.admin_grpc.empty())
    return wrong_usage("--backups are made by a call on --admin-grpc, which is off: give it an address");
  if (b.queue.max_wait.count() < 1) return wrong_usage("--max-queue-ms must be at least 1");
  if (const int32_t most = file_shares().connections; options.grpc.max_connections < 0 || options.grpc.max_connections > most)
    return wrong_usage("--max-connections is " + std::to_string(options.grpc.max_connections) + "; it must be 0 to " +
                       std::to_string(most) + ", which the limit on open files leaves: ulimit -n raises it");
  return absl::OkStatus();
}

// `store` may be none; outlives the result's use.
BatcherOptions with_versions(BatcherOptions options, const EventStore* store) {
  if (store != nullptr) options.newest_version = [store] { return static_cast<int64_t>(store->newest_sequence()); };
  return options;
}

// protobuf would write a line of its own to stderr for every text that is not UTF-8: the caller is told, and the log is not theirs.
void silence_protobuf() { [[maybe_unused]] static auto* const before = google::protobuf::SetLogHandler(nullptr); }

}  // namespace

absl::StatusOr<std::unique_ptr<Serving>> Serving::start(const ServingOptions& options, Backend& backend) {
  silence_protobuf();
  if (absl::Status s = check(options); !s.ok()) return s;
  auto directory = options.wait_for_model ? ModelsDirectory::open(options.models) : ModelsDirectory::open_existing(options.models);
  if (!directory.ok()) return directory.status();
  const auto others = open_directories(options.placements, options.models, options.wait_for_model);
  if (!others.ok()) return others.status();
  auto metrics = std::make_unique<Metrics>(std::string(backend.name()), options.placements);
  auto store = open_store(options, *metrics);
  if (!store.ok()) return store.status();
  std::unique_ptr<Serving> serving(new Serving(options, *std::move(directory), *others, std::move(metrics), *std::move(store), backend));
  if (absl::Status s = serving->models_.refresh(); !s.ok() && !options.wait_for_model) return s;
  if (absl::Status s = serving->check_placements(); !s.ok()) return s;
  if (absl::Status s = serving->listen(); !s.ok()) return s;
  serving->update_health();
  serving->models_.start_watching();
  return serving;
}

absl::Status Serving::check_placements() {
  for (const Placement& placement : options_.placements.all())
    if (const auto now = models_.of(placement.name).serving(); now != nullptr)
      if (absl::Status s = check_filter(placement, now->model->catalog()); !s.ok()) return s;
  return absl::OkStatus();
}

absl::StatusOr<Serving::Store> Serving::open_store(const ServingOptions& options, Metrics& metrics) {
  Store store;
  if (!options.store.empty()) {
    StoreDatabaseOptions database_options;
    if (options.event_id_days > 0) database_options.event_id_window = options.event_id_days * absl::Hours(24);
    auto database = StoreDatabase::open(options.store, database_options);
    if (!database.ok()) return database.status();
    store.database = *std::move(database);
    store.feed = std::make_unique<LiveFeed>();
    auto erased = ErasedFiles::start(*store.database);
    if (!erased.ok()) return erased.status();
    store.erased = *std::move(erased);
    if (options.solve_ahead)
      store.ahead =
          std::make_unique<EagerSolving>(EagerSolvingOptions{.max_batch = static_cast<size_t>(options.batcher.max_batch)}, metrics);
    EventStoreOptions event_options;
    event_options.observer = &metrics;
    event_options.listener = [feed = store.feed.get(), ahead = store.ahead.get(), erased = store.erased.get()](const DurableGroup& group) {
      feed->tell(group);
      if (ahead != nullptr) ahead->tell(group);
      erased->add(group.erasures);
    };
    auto events = EventStore::open(*store.database, std::move(event_options));
    if (!events.ok()) return events.status();
    store.events = *std::move(events);
    store.inputs = std::make_unique<StoredInputs>(*store.events);
    if (options.answers.log)
      store.log = std::make_unique<AnswerLog>(*store.events, AnswerLogOptions{.retention = options.answers.retention}, metrics);
  }
  auto key = store.database == nullptr ? random_text() + random_text() : answer_key(*store.database);
  if (!key.ok()) return key.status();
  store.names = std::make_unique<AnswerNames>(*key);
  auto items = ItemCatalog::open(store.database.get());
  if (!items.ok()) return items.status();
  store.items = *std::move(items);
  return store;
}

ModelStoreOptions Serving::store_options(const std::string& path, const DirectoriesOfPlacements& others) {
  std::vector<Placement> answered;
  for (size_t p = 0; p < others.path_of.size(); ++p)
    if (others.path_of[p] == path) answered.push_back(options_.placements.all()[p]);
  return {.workers = options_.batcher.workers,
          .max_batch = options_.batcher.max_batch,
          .answers = {.placements = &options_.placements,
                      .actions = &options_.actions,
                      .names = store_.names.get(),
                      .inputs = store_.inputs.get(),
                      .log = store_.log.get()},
          .solve_ahead = options_.solve_ahead,
          .poll_interval = options_.poll_interval,
          .go_live = [this](const ServedModel& model) { return live_of(model); },
          .prepare =
              [this, answered, is_own = path.empty()](const auto& model) {
                auto prepared = store_.items->prepared(model, is_own);
                if (prepared.ok()) check_configuration(answered, is_own, **prepared);
                return prepared;
              }};
}

Serving::Serving(const ServingOptions& options, ModelsDirectory directory, const DirectoriesOfPlacements& others,
                 std::unique_ptr<Metrics> metrics, Store store, Backend& backend)
    : options_(options),
      metrics_(std::move(metrics)),
      store_(std::move(store)),
      models_(
          std::move(directory), others, options_.placements, *store_.names, backend,
          [this, &others](const std::string& path) { return store_options(path, others); }, metrics_.get()),
      batcher_(
          with_versions(options.batcher, store_.events.get()),
          [this](int32_t worker, auto batch, auto statuses) { execute(worker, batch, statuses); }, metrics_.get()),
      intake_(
          store_.events.get(),
          [this] {
            std::vector<std::shared_ptr<const ServedModel>> models;
            models_.for_each([&](ModelStore& one) {
              if (const auto serving = one.serving(); serving != nullptr) models.push_back(serving->model);
            });
            return models;
          },
          metrics_.get()),
      recommendations_(batcher_, *metrics_),
      profiles_(batcher_, intake_, *metrics_, options.most_unread_bytes, store_.names.get()),
      audiences_(batcher_, *metrics_),
      models_service_(models_),
      catalog_(*store_.items, models_),
      store_service_(store_.database.get(), store_.erased.get(), options_.backups) {
  if (store_.ahead != nullptr) store_.ahead->start([this](std::span<const std::string> ids) { return solve_ahead(ids); });
}

Serving::~Serving() { stop(); }

absl::Status Serving::listen() {
  auto address = checked_address("--listen", options_.listen, options_.allow_remote);
  if (!address.ok()) return address.status();
  if (!options_.admin.empty()) {
    auto admin = checked_address("--admin", options_.admin, options_.allow_remote);
    if (!admin.ok()) return admin.status();
    auto pages = AdminPages::start(*admin, {.metrics = [this] { return metrics_->text(batcher_, models_.own()); },
                                            .not_ready = [this] { return not_ready(); },
                                            .degraded = options_.degraded});
    if (!pages.ok()) return pages.status();
    pages_ = *std::move(pages);
  }
  if (!options_.admin_grpc.empty()) {
    auto admin = checked_address("--admin-grpc", options_.admin_grpc, false);
    if (!admin.ok()) return admin.status();
    GrpcListenerOptions few = options_.grpc;
    few.max_connections = kMaxAdminConnections;
    auto listener = GrpcListener::start(*admin, {&models_service_, &store_service_}, few);
    if (!listener.ok()) return listener.status();
    admin_listener_ = *std::move(listener);
  }
  GrpcListenerOptions with_events = options_.grpc;
  with_events.connection_refused = [this] { metrics_->connection_refused(); };
  with_events.max_message_bytes = std::max(with_events.max_message_bytes, kMaxEventsMessageBytes);
  auto listener = GrpcListener::start(*address, {&recommendations_, &profiles_, &audiences_, &catalog_}, with_events);
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

void Serving::execute(int32_t worker, std::span<const QueuedJob> batch, std::span<absl::Status> statuses) {
  thread_local std::vector<Question> questions;
  questions.clear();
  for (const QueuedJob& job : batch) questions.push_back(job.job->question());
  models_.answer(worker, questions, statuses);
  for (size_t i = 0; i < questions.size(); ++i)
    if (statuses[i].ok()) count_offers(questions[i], options_.placements, *metrics_);
}

// Who was written under another id of a person is mostly asked for under the root.
int64_t Serving::solve_ahead(std::span<const std::string> customer_ids) {
  std::vector<std::string> ids(customer_ids.begin(), customer_ids.end());
  for (const std::string& id : customer_ids)
    if (std::string root = store_.events->merges().root_of(id); root != id) ids.push_back(std::move(root));
  int64_t solved = 0;
  models_.for_each([&](ModelStore& store) {
    if (const auto serving = store.serving(); serving != nullptr && serving->solver != nullptr) solved += serving->solver->solve(ids);
  });
  return solved;
}

absl::StatusOr<LiveModel> Serving::live_of(const ServedModel& model) const {
  if (store_.events == nullptr) return LiveModel{};
  auto source = store_.feed->follow(*store_.events, model.version(), known_part(model.artifact(), store_.database->identity()),
                                    model.artifact().customer_ids);
  if (!source.ok()) return source.status();
  auto profiles = std::make_shared<FreshProfiles>(options_.fresh_profile_bytes);
  (*source)->also_forget_in(profiles);
  return LiveModel{*std::move(source), std::move(profiles), metrics_.get()};
}

// A model that comes later is served all the same: what the configuration says may be of another one.
void Serving::check_configuration(std::span<const Placement> answered, bool is_own, const ServedModel& model) const {
  for (const Placement& placement : answered)
    if (absl::Status s = check_filter(placement, model.catalog()); !s.ok())
      log_event(LogLevel::kError, "placement.unusable",
                {{"placement", placement.name}, {"version", model.version()}, {"why", std::string(message_of(s))}});
  if (!is_own) return;
  for (const auto& [id, rule] : options_.actions.by_item)
    if (model.artifact().item_ids.find(id) == kNone)
      log_event(LogLevel::kInfo, "action.unknown", {{"action", id}, {"version", model.version()}});
}

std::string Serving::not_ready() const {
  if (draining_.load()) return "shutting down";
  if (!models_.are_there()) return "no model yet";
  return {};
}

void Serving::update_health() {
  if (const std::string why = options_.degraded(); !why.empty()) metrics_->degraded(why);
  const bool healthy = not_ready().empty();
  if (healthy == healthy_ && healthy) return;
  healthy_ = healthy;
  listener_->set_healthy(healthy);
  if (admin_listener_ != nullptr) admin_listener_->set_healthy(healthy);
}

void Serving::stop() {
  if (std::exchange(stopped_, true)) return;
  draining_.store(true);
  if (listener_ != nullptr) {
    update_health();
    std::this_thread::sleep_for(options_.lame_duck);
    batcher_.stop_parking();  // what it waits for may never come now, and the caller can ask another server
    listener_->drain(options_.drain_grace);
  }
  if (admin_listener_ != nullptr) admin_listener_->drain(std::chrono::milliseconds(0));
  batcher_.stop();
  if (store_.ahead != nullptr) store_.ahead->stop();
  pages_.reset();
}

}  // namespace bouquet::server
