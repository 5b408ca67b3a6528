#include "bench/live_bench.h"

#include <grpcpp/grpcpp.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/benched_server.h"
#include "bench/call_mix.h"
#include "bench/generated_model.h"
#include "bench/load_generator.h"
#include "bench/sync_times.h"
#include "bouquet/v1/profiles.grpc.pb.h"
#include "bouquet/v1/recommendations.grpc.pb.h"
#include "engine/errors.h"
#include "engine/models_directory.h"
#include "engine/scratch_folder.h"
#include "server/status_mapping.h"

namespace bouquet::bench {
namespace {

namespace pb = bouquet::v1;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Settings {
  GeneratedModel model;
  LoadPlan load;
  double events_per_second = 1000, reads_per_second = 1000;
  int32_t k = 10;
  server::ServingOptions serving;
  BackendChoice backend;
  bool json = false;
};

struct Probes {
  LatencyHistogram acknowledged;  // from the event to its acknowledgement
  LatencyHistogram changed;       // from there to the changed recommendation
  LatencyHistogram whole;
};

pb::RecordEventsRequest purchase(const std::string& customer, const std::string& item) {
  pb::RecordEventsRequest request;
  request.add_events()->set_customer_id(customer);
  request.mutable_events(0)->mutable_event()->set_item_id(item);
  return request;
}

std::string customer_of(const Artifact& artifact, int64_t i) {
  return std::string(artifact.customer_ids.id(static_cast<int32_t>(i % artifact.model.customer_count())));
}

LoadPlan load_of(CallKind kind, double rate, const Settings& settings, const Artifact& artifact) {
  LoadPlan plan = settings.load;
  plan.kinds = {calls_of(kind, artifact, settings.k)};
  plan.rate = rate;
  return plan;
}

// A customer who buys what they are offered first, and looks again.
class Shopper {
 public:
  Shopper(const std::string& address, int32_t k) : k_(k) {
    const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    profiles_ = pb::Profiles::NewStub(channel);
    recommendations_ = pb::Recommendations::NewStub(channel);
  }

  absl::Status buy(const std::string& customer, Probes& probes) {
    pb::RecommendResponse offered, again;
    if (absl::Status s = recommend(customer, 0, &offered); !s.ok()) return s;
    if (offered.results().empty()) return absl::InternalError("nothing was offered");
    const std::string item = offered.results(0).item_id();
    pb::RecordEventsResponse recorded;
    grpc::ClientContext context;
    const auto begin = Clock::now();
    if (absl::Status s = server::from_grpc(profiles_->RecordEvents(&context, purchase(customer, item), &recorded)); !s.ok()) return s;
    const auto acknowledged = Clock::now();
    if (recorded.failed() > 0) return absl::InternalError(recorded.results(0).message());
    const int64_t version = recorded.results(0).profile_version();
    if (absl::Status s = recommend(customer, version, &again); !s.ok()) return s;
    const auto changed = Clock::now();
    for (const pb::RecommendedItem& row : again.results())
      if (row.item_id() == item) return absl::InternalError("what was bought is offered again");
    if (again.profile_version() < version) return absl::InternalError("the answer does not know the event");
    probes.acknowledged.record(std::chrono::nanoseconds(acknowledged - begin).count());
    probes.changed.record(std::chrono::nanoseconds(changed - acknowledged).count());
    probes.whole.record(std::chrono::nanoseconds(changed - begin).count());
    return absl::OkStatus();
  }

 private:
  absl::Status recommend(const std::string& customer, int64_t version, pb::RecommendResponse* response) {
    pb::RecommendRequest request;
    request.set_customer_id(customer);
    request.set_k(k_);
    request.set_min_profile_version(version);
    grpc::ClientContext context;
    return server::from_grpc(recommendations_->Recommend(&context, request, response));
  }

  const int32_t k_;
  std::unique_ptr<pb::Profiles::Stub> profiles_;
  std::unique_ptr<pb::Recommendations::Stub> recommendations_;
};

Json row_of(const std::string& what, const Spread& spread) {
  return {{"what", what},
          {"count", spread.count()},
          {"p50_ms", 1e3 * spread.quantile(.5)},
          {"p99_ms", 1e3 * spread.quantile(.99)},
          {"p999_ms", 1e3 * spread.quantile(.999)}};
}

Json row_of(const std::string& what, const LatencyHistogram& latencies) {
  Json row{{"what", what}};
  row.update(latencies.as_json());
  return row;
}

Json row_of(const std::string& what, const LoadResult& result) {
  const CallCounts all = result.all();
  Json row{{"what", what}, {"count", all.ok()}, {"failed", all.failed()}, {"per_second", result.per_second()}};
  row.update(all.latencies.as_json());
  return row;
}

void print(const Json& report) {
  for (const Json& row : report["rows"]) {
    std::printf("  %-44s %8lld", row["what"].get<std::string>().c_str(), row["count"].get<long long>());
    if (row.contains("per_second")) std::printf("  %6.0f/s  failed %lld", row["per_second"].get<double>(), row["failed"].get<long long>());
    std::printf("  p50 %.2f  p99 %.2f  p99.9 %.2f ms\n", row["p50_ms"].get<double>(), row["p99_ms"].get<double>(),
                row["p999_ms"].get<double>());
  }
  std::printf("  acknowledged to changed, p99: %.2f ms; 2 x fdatasync p99 + 5 ms = %.2f ms\n", report["changed_p99_ms"].get<double>(),
              report["bound_ms"].get<double>());
}

absl::StatusOr<Json> measure(const Settings& settings, const Artifact& artifact, const std::string& address, const Spread& sync) {
  LoadPlan reading = load_of(CallKind::kRecommend, settings.reads_per_second, settings, artifact);
  LoadPlan writing = load_of(CallKind::kRecord, settings.events_per_second, settings, artifact);
  reading.address = writing.address = address;
  absl::StatusOr<LoadResult> read = absl::UnknownError("not run"), written = absl::UnknownError("not run");
  std::thread reader([&] { read = run_load(reading); });
  std::thread writer([&] { written = run_load(writing); });
  Probes probes;
  absl::Status probing;
  Shopper shopper(address, settings.k);
  const auto end = Clock::now() + std::chrono::duration<double>(settings.load.warm_up_seconds + settings.load.seconds);
  for (int64_t i = 0; probing.ok() && Clock::now() < end; ++i) probing = shopper.buy(customer_of(artifact, 13 * i), probes);
  reader.join();
  writer.join();
  if (!probing.ok()) return probing;
  if (!read.ok()) return read.status();
  if (!written.ok()) return written.status();
  return Json{
      {"items", artifact.model.item_count()},
      {"dimension", artifact.model.dimension},
      {"rows",
       {row_of("fdatasync of 4 KiB, nothing else running", sync), row_of("event to acknowledgement", probes.acknowledged),
        row_of("acknowledgement to changed recommendation", probes.changed), row_of("event to changed recommendation", probes.whole),
        row_of("Recommend, open loop", *read), row_of("RecordEvents of one event, open loop", *written)}},
      {"changed_p99_ms", probes.changed.quantile_ms(.99)},
      {"bound_ms", 2e3 * sync.quantile(.99) + 5}};
}

absl::Status run_in(const std::string& folder, Settings& settings, const BackendFactory& backends) {
  settings.serving.models = folder + "/models";
  settings.serving.store = folder + "/store";
  serve_locally(settings.serving);
  const Artifact artifact = generate_model(settings.model);
  auto directory = ModelsDirectory::open(settings.serving.models);
  if (!directory.ok()) return directory.status();
  if (auto version = directory->publish(artifact, true); !version.ok()) return version.status();
  const auto sync = measure_syncs(folder);
  if (!sync.ok()) return sync.status();
  auto served = ForkedServer::start({}, [&] { return start_serving(settings.serving, settings.backend, backends); });
  if (!served.ok()) return served.status();
  const auto report = measure(settings, artifact, (*served)->address(), *sync);
  if (!report.ok()) return report.status();
  if (settings.json)
    std::printf("%s\n", report->dump(2).c_str());
  else
    print(*report);
  return absl::OkStatus();
}

absl::Status run(Settings& settings, const BackendFactory& backends) {
  if (settings.model.customers < 1 || settings.model.items < 2 || settings.model.dimension < 1 || settings.model.dimension > kMaxDimension)
    return wrong_usage("the generated model needs customers, at least two items and a dimension of 1 to 1024");
  const auto folder = ScratchFolder::make("bench");
  return folder.ok() ? run_in(folder->path(), settings, backends) : folder.status();
}

}  // namespace

void add_live_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  settings->backend.threads = 1;
  settings->model.dimension = 128;
  settings->load.connections = 16;
  settings->load.seconds = 10;
  CLI::App* command = bench.add_subcommand("live", "From an event to the recommendation that it changes, under reads and writes");
  command->footer("Example:\n  TMPDIR=/var/tmp bouquet bench live --events 1000 --reads 1000 --seconds 10");
  command->add_option("--items", settings->model.items, "Items of the generated model")->capture_default_str();
  command->add_option("--customers", settings->model.customers, "Its customers")->capture_default_str();
  command->add_option("--dimension", settings->model.dimension, "Its dimension")->capture_default_str();
  command->add_option("--history", settings->model.history, "Items each customer has bought")->capture_default_str();
  command->add_option("--events", settings->events_per_second, "RecordEvents calls per second, of one event")->capture_default_str();
  command->add_option("--reads", settings->reads_per_second, "Recommend calls per second")->capture_default_str();
  command->add_option("-k,--k", settings->k, "Rows per answer")->capture_default_str();
  command->add_option("--connections", settings->load.connections, "Connections, for reads and writes each")->capture_default_str();
  command->add_option("--seconds", settings->load.seconds, "How long")->capture_default_str();
  command->add_option("--workers", settings->serving.batcher.workers, "As for serve")->capture_default_str();
  command->add_option("--backend", settings->backend.name, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--threads", settings->backend.threads, "Threads of the cpu backend")->capture_default_str();
  command->add_flag("--json", settings->json, "One JSON document on stdout");
  command->callback([settings, backends, &exit_code] { exit_code = report(run(*settings, backends)); });
}

}  // namespace bouquet::bench
