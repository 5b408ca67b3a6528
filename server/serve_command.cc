#include "server/serve_command.h"

#include <csignal>
#include <ctime>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "engine/errors.h"
#include "server/actions_config.h"
#include "server/answers_config.h"
#include "server/config_file.h"
#include "server/log.h"
#include "server/placements_config.h"
#include "server/serving.h"
#include "server/standby_backend.h"

namespace bouquet::server {
namespace {

struct ServeOptions {
  std::string config;
  ServingOptions serving;
  BackendChoice backend;
  std::string on_device_loss = "stay";
  std::string solve = "lazy";
  int32_t max_queue_ms = 200, poll_ms = 200, lame_duck_ms = 1000, drain_seconds = 10;
};

// SIGTERM and SIGINT, taken by the thread that waits for them and by no other. Made before any other thread.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
    std::signal(SIGPIPE, SIG_IGN);
  }
  ~StopSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  // The signal that came within 100 ms, or 0.
  int wait() const {
    const timespec time{.tv_sec = 0, .tv_nsec = 100'000'000};
    const int signal = sigtimedwait(&set_, nullptr, &time);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t set_, before_;
};

// What computes, and where that is a device, what goes on in its place when it is lost.
struct Computing {
  std::unique_ptr<Backend> backend;
  const StandbyBackend* on_device = nullptr;  // `backend`; nullptr: it is no device
};

absl::StatusOr<Computing> make_computing(const BackendChoice& choice, const BackendFactory& backends) {
  auto backend = backends(choice);
  if (!backend.ok()) return backend.status();
  if ((*backend)->name() == "cpu") return Computing{*std::move(backend)};
  auto standby = backends({.name = "cpu", .threads = choice.threads});
  if (!standby.ok()) return standby.status();
  auto both = std::make_unique<StandbyBackend>(*std::move(backend), *std::move(standby));
  const StandbyBackend* const on_device = both.get();
  return Computing{std::move(both), on_device};
}

absl::Status serve(ServeOptions& options, const BackendFactory& backends) {
  ServingOptions& serving_options = options.serving;
  serving_options.solve_ahead = options.solve == "eager";
  serving_options.batcher.queue.max_wait = std::chrono::milliseconds(options.max_queue_ms);
  serving_options.poll_interval = std::chrono::milliseconds(options.poll_ms);
  serving_options.lame_duck = std::chrono::milliseconds(options.lame_duck_ms);
  serving_options.drain_grace = std::chrono::seconds(options.drain_seconds);
  if (!options.config.empty()) {
    const auto text = read_config(options.config);
    if (!text.ok()) return text.status();
    auto placements = parse_placements(*text, options.config);
    if (!placements.ok()) return placements.status();
    serving_options.placements = *std::move(placements);
    auto actions = parse_actions(*text, options.config);
    if (!actions.ok()) return actions.status();
    serving_options.actions = *std::move(actions);
    auto answers = parse_answers(*text, options.config);
    if (!answers.ok()) return answers.status();
    serving_options.answers = *std::move(answers);
  }
  const StopSignals signals;
  const auto computing = make_computing(options.backend, backends);
  if (!computing.ok()) return computing.status();
  const StandbyBackend* const device = computing->on_device;
  if (device != nullptr) serving_options.degraded = [device] { return device->lost_because(); };
  auto serving = Serving::start(serving_options, *computing->backend);
  if (!serving.ok()) return serving.status();
  log_event(LogLevel::kInfo, "serving",
            {{"address", (*serving)->address()},
             {"admin", (*serving)->admin_address()},
             {"admin_grpc", (*serving)->admin_grpc_address()},
             {"backend", computing->backend->description()},
             {"pid", std::to_string(getpid())}});
  const auto ends_without_device = [&] { return options.on_device_loss == "exit" && !serving_options.degraded().empty(); };
  int signal = 0;
  while ((signal = signals.wait()) == 0 && !ends_without_device()) (*serving)->update_health();
  (*serving)->update_health();
  log_event(LogLevel::kInfo, "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : signal == SIGINT ? "SIGINT" : "none, device lost"}});
  (*serving)->stop();
  log_event(LogLevel::kInfo, "stopped", {});
  if (signal == 0) return no_resource("the device was lost: " + serving_options.degraded() + "; start the server again");
  return absl::OkStatus();
}

void add_limits(CLI::App& command, ServeOptions& options) {
  BatcherOptions& batcher = options.serving.batcher;
  command.add_option("--workers", batcher.workers, "Threads that answer batches")->capture_default_str();
  command.add_option("--max-batch", batcher.max_batch, "Requests answered together at most")->capture_default_str();
  command.add_option("--max-queue", batcher.queue.max_requests, "Requests that may wait; more are turned away")->capture_default_str();
  command.add_option("--max-queue-bytes", batcher.queue.max_bytes, "Bytes of requests that may wait")->capture_default_str();
  command.add_option("--max-queue-ms", options.max_queue_ms, "Longest wait before a request is turned away")->capture_default_str();
  command.add_option("--max-streams", options.serving.grpc.max_streams_per_connection, "Calls at a time on one connection")
      ->capture_default_str();
  command
      .add_option("--max-connections", options.serving.grpc.max_connections,
                  "Connections at a time; more are closed at once. 0: 1024, or fewer as the limit on open files has it")
      ->capture_default_str();
  command.add_option("--poll-ms", options.poll_ms, "How often CURRENT of the models directory is looked at")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600000));
  command.add_option("--lame-duck-ms", options.lame_duck_ms, "After SIGTERM: how long calls are still taken while health says NOT_SERVING")
      ->capture_default_str()
      ->check(CLI::Range(0, 3600000));
  command.add_option("--drain-seconds", options.drain_seconds, "After that: how long running calls may take")
      ->capture_default_str()
      ->check(CLI::Range(0, 3600));
}

}  // namespace

void add_serve_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Answer over gRPC until SIGTERM");
  command->footer(
      "Examples:\n"
      "  bouquet serve --models models\n"
      "  bouquet serve --models models --listen unix:/run/bouquet.sock --admin 127.0.0.1:9090 --workers 2\n"
      "  bouquet serve --models models --store store\n"
      "  bouquet serve --models models --store store --backups backups\n"
      "  bouquet serve --models models --config bouquet.toml");
  ServingOptions& serving = options->serving;
  command->add_option("--models", serving.models, "Serve the current model of this models directory, and what becomes current later")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--store", serving.store,
                   "Keep in this folder what the Catalog service is told of items; without it that service changes nothing")
      ->type_name("DIR");
  command
      ->add_option("--solve", options->solve,
                   "When the profile of a customer of whom something new was recorded is solved: lazy (at the first request) or eager (at "
                   "once, in the background)")
      ->capture_default_str()
      ->check(CLI::IsMember({"lazy", "eager"}));
  command
      ->add_option("--event-id-days", serving.event_id_days,
                   "How many days an event_id makes sending again harmless; the store keeps it. 0: as the store has it, 30 in a new one")
      ->capture_default_str();
  command->add_option("--backups", serving.backups, "Where `bouquet store backup --server` has this server put backups of its store")
      ->type_name("DIR");
  command
      ->add_option("--config", options->config,
                   "Read settings, [placements.<name>], [actions...] and [answers] tables from this TOML file (see bouquet config)")
      ->type_name("FILE");
  command->add_option("--listen", serving.listen, "host:port or unix:PATH")->capture_default_str()->type_name("ADDRESS");
  command->add_option("--admin", serving.admin, "Metrics and health over HTTP; empty: none")->capture_default_str()->type_name("ADDRESS");
  command->add_option("--admin-grpc", serving.admin_grpc, "The Models and Store services, for this machine alone; empty: none")
      ->capture_default_str()
      ->type_name("ADDRESS");
  command->add_flag("--allow-remote", serving.allow_remote, "Let --listen and --admin be reached from other machines, without any check");
  command->add_flag("--wait-for-model", serving.wait_for_model, "Start without a model and answer UNAVAILABLE until there is one");
  command->add_flag("--reflection", serving.grpc.reflection, "Let clients ask for the proto files (grpcurl)");
  command->add_option("--backend", options->backend.name, "What computes: auto, cpu or cuda")->capture_default_str();
  command->add_option("--device", options->backend.device, "Which GPU of the cuda backend, from 0")->capture_default_str();
  command->add_option("--threads", options->backend.threads, "Threads of the cpu backend; 0: as many as the machine has")
      ->capture_default_str();
  command
      ->add_option(
          "--on-device-loss", options->on_device_loss,
          "When the GPU is lost, answers come from the CPU at once; then stay, or exit (code 4) so that a new process gets it back")
      ->capture_default_str()
      ->check(CLI::IsMember({"stay", "exit"}));
  add_limits(*command, *options);
  command->callback([options, backends, &exit_code] { exit_code = report(serve(*options, backends)); });
}

}  // namespace bouquet::server
