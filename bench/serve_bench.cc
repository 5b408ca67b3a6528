#include "bench/serve_bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/benched_server.h"
#include "bench/call_mix.h"
#include "bench/forked_server.h"
#include "bench/generated_model.h"
#include "bench/load_generator.h"
#include "bench/serve_report.h"
#include "bouquet/bench/v1/echo.grpc.pb.h"
#include "engine/attribute_layout.h"
#include "engine/errors.h"
#include "engine/models_directory.h"
#include "engine/scratch_folder.h"
#include "server/local_model.h"
#include "server/recommender.h"
#include "server/request_limits.h"
#include "server/serving.h"

namespace bouquet::bench {
namespace {

constexpr char kRecommend[] = "/bouquet.v1.Recommendations/Recommend";
constexpr int32_t kVisitors = 50;  // whose requests carry their history

struct Settings {
  GeneratedModel model;
  LoadPlan load;
  int32_t k = 10;
  server::ServingOptions serving;
  BackendChoice backend;
  std::vector<int32_t> server_cpus{0}, client_cpus;
  std::string mix_text = "recommend=100";
  std::vector<MixPart> mix;
  std::vector<double> rates;
  std::vector<int32_t> at_percents{50, 70, 90};
  bool json = false;
  std::string svg;
};

class EchoService final : public v1::EchoService::CallbackService {
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const v1::EchoRequest* request,
                                 v1::EchoResponse* response) override {
    response->set_text(request->text());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

absl::StatusOr<ForkedServer::Running> start_echo() {
  auto service = std::make_shared<EchoService>();
  auto address = server::parse_listen_address("echo", "127.0.0.1:0");
  auto listener = server::GrpcListener::start(*address, {service.get()}, {});
  if (!listener.ok()) return listener.status();
  std::shared_ptr<server::GrpcListener> shared = *std::move(listener);
  return ForkedServer::Running{shared->address(), [service, shared] { shared->drain(std::chrono::milliseconds(100)); }};
}

// What the requests of a run say of who asks, beside the history.
enum class Asking { kVisitor, kByName, kPacked };

// A visitor with the history of customer `c`, and with their attributes.
void fill_visitor(const Settings& settings, const Artifact& artifact, int32_t c, Asking asking, bouquet::v1::RecommendRequest* request) {
  const Histories& histories = artifact.histories;
  for (int64_t at = histories.offsets[c]; at < histories.offsets[c + 1]; ++at)
    request->mutable_visitor()->add_events()->set_item_id(std::string(artifact.item_ids.id(histories.items[at])));
  if (asking == Asking::kVisitor) return;
  const AttributeSchema& schema = artifact.customer_attributes.schema;
  if (asking == Asking::kPacked) request->mutable_packed_attributes()->set_attribute_schema(layout_version(schema));
  for (int32_t a = 0; a < settings.model.attributes; ++a) {
    const Attribute& attribute = schema.attributes()[static_cast<size_t>(a)];
    const bool number = attribute.type() == AttributeType::kNumber;
    const double value = generated_attribute(settings.model, c, a);
    if (asking == Asking::kPacked) {
      const AttributeSchema::Place& place = schema.place(static_cast<size_t>(a));
      request->mutable_packed_attributes()->add_columns(static_cast<uint32_t>(number ? place.dense : place.sparse));
      request->mutable_packed_attributes()->add_numbers(value);
    } else if (number) {
      (*request->mutable_attributes())[attribute.name].set_number(value);
    } else {
      (*request->mutable_attributes())[attribute.name].set_flag(value != 0);
    }
  }
}

// The current model of a directory, and what answers offline as its server does.
struct Offline {
  server::LocalModel model;
  std::unique_ptr<server::Recommender> recommender;
};

absl::StatusOr<Offline> open_offline(const Settings& settings, const std::string& models, const BackendFactory& backends) {
  auto model = server::open_model(models, {}, settings.backend, backends);
  if (!model.ok()) return model.status();
  auto recommender = server::Recommender::make(*model->served, 1);
  if (!recommender.ok()) return recommender.status();
  return Offline{*std::move(model), *std::move(recommender)};
}

absl::StatusOr<LoadPlan> mixed_load(const Settings& settings, const BackendFactory& backends) {
  auto offline = open_offline(settings, settings.serving.models, backends);
  if (!offline.ok()) return offline.status();
  auto kinds = calls_of(settings.mix, offline->model.served->artifact(), settings.k, *offline->recommender);
  if (!kinds.ok()) return kinds.status();
  LoadPlan load = settings.load;
  load.kinds = *std::move(kinds);
  return load;
}

// One request for each of a few visitors and the bytes that must come back.
absl::StatusOr<LoadPlan> visitor_load(const Settings& settings, const std::string& models, Asking asking, const BackendFactory& backends) {
  auto offline = open_offline(settings, models, backends);
  if (!offline.ok()) return offline.status();
  LoadPlan load = settings.load;
  LoadKind& calls = load.kinds.emplace_back(LoadKind{.name = "recommend", .method = kRecommend, .requests = {}, .answers = {}});
  for (int32_t c = 0; c < std::min(settings.model.customers, kVisitors); ++c) {
    bouquet::v1::RecommendRequest request;
    fill_visitor(settings, offline->model.served->artifact(), c, asking, &request);
    request.set_k(settings.k);
    bouquet::v1::RecommendResponse response;
    if (absl::Status s = offline->recommender->recommend(request, &response); !s.ok()) return s;
    calls.requests.push_back(request.SerializeAsString());
    calls.answers.push_back(expected_answer(response));
  }
  return load;
}

LoadPlan echo_load(const LoadPlan& like) {
  v1::EchoRequest request;
  request.set_text("c1000000");
  const std::string bytes = request.SerializeAsString();
  LoadPlan load = like;
  load.kinds = {{.name = "echo",
                 .method = "/bouquet.bench.v1.EchoService/Echo",
                 .requests = {bytes},
                 .answers = {{.before = bytes, .after = {}, .has_name = false}}}};
  return load;
}

// Runs a load against a server and reports it. Returns the answers of a second.
absl::StatusOr<double> measure(const ServeRun& run, LoadPlan plan, const ForkedServer& server, ServeReport& report) {
  plan.address = server.address();
  plan.rate = run.rate;
  plan.meter = [&server] { return server.cpu_seconds(); };
  const auto result = run_load(plan);
  if (!result.ok()) return result.status();
  if (absl::Status s = report.add(run, plan, *result); !s.ok()) return s;
  return result->per_second();
}

// The capacity of the mixture, then its latencies at shares of it, or at the rates that were given.
absl::Status measure_mix(const Settings& settings, const LoadPlan& load, const ForkedServer& served, ServeReport& report) {
  const auto capacity = measure({.what = settings.mix_text}, load, served, report);
  if (!capacity.ok()) return capacity.status();
  std::vector<ServeRun> runs;
  for (const double rate : settings.rates) runs.push_back({.what = settings.mix_text, .rate = rate});
  if (settings.rates.empty())
    for (const int32_t percent : settings.at_percents)
      runs.push_back({.what = settings.mix_text, .rate = *capacity * percent / 100, .at_percent = percent});
  for (const ServeRun& run : runs)
    if (const auto s = measure(run, load, served, report); !s.ok()) return s.status();
  return absl::OkStatus();
}

// What attributes in a request cost: the same visitors asked for without them, of a model that takes none (`plain`), with all of them by
// name and packed.
absl::Status measure_attributes(const Settings& settings, const std::string& plain_models, const ForkedServer& plain,
                                const ForkedServer& served, const BackendFactory& backends, ServeReport& report) {
  struct Run {
    const char* what;
    Asking asking;
    const std::string& models;
    const ForkedServer& server;
  };
  for (const Run& run :
       {Run{"no attributes", Asking::kVisitor, plain_models, plain}, Run{"none sent", Asking::kVisitor, settings.serving.models, served},
        Run{"by name", Asking::kByName, settings.serving.models, served},
        Run{"packed", Asking::kPacked, settings.serving.models, served}}) {
    const auto load = visitor_load(settings, run.models, run.asking, backends);
    if (!load.ok()) return load.status();
    if (const auto s = measure({.what = run.what}, *load, run.server, report); !s.ok()) return s.status();
  }
  return absl::OkStatus();
}

absl::Status run_in(const std::string& folder, Settings& settings, const BackendFactory& backends) {
  settings.serving.models = folder + "/models";
  if (writes(settings.mix)) settings.serving.store = folder + "/store";
  serve_locally(settings.serving);
  auto directory = ModelsDirectory::open(settings.serving.models);
  if (!directory.ok()) return directory.status();
  if (auto version = directory->publish(generate_model(settings.model), true); !version.ok()) return version.status();
  Settings plain = settings;
  plain.serving.models = folder + "/plain";
  plain.model.attributes = 0;
  if (settings.model.attributes > 0) {
    auto plain_directory = ModelsDirectory::open(plain.serving.models);
    if (!plain_directory.ok()) return plain_directory.status();
    if (auto version = plain_directory->publish(generate_model(plain.model), true); !version.ok()) return version.status();
  }
  // All of them before this process has any thread.
  auto echo = ForkedServer::start(settings.server_cpus, start_echo);
  if (!echo.ok()) return echo.status();
  auto served = ForkedServer::start(settings.server_cpus, [&] { return start_serving(settings.serving, settings.backend, backends); });
  if (!served.ok()) return served.status();
  absl::StatusOr<std::unique_ptr<ForkedServer>> without = std::unique_ptr<ForkedServer>();
  if (settings.model.attributes > 0)
    without = ForkedServer::start(settings.server_cpus, [&] { return start_serving(plain.serving, plain.backend, backends); });
  if (!without.ok()) return without.status();
  if (absl::Status s = use_processors(settings.client_cpus); !s.ok()) return s;
  const auto load = mixed_load(settings, backends);
  if (!load.ok()) return load.status();
  auto report = ServeReport::begin({{"items", settings.model.items},
                                    {"customers", settings.model.customers},
                                    {"dimension", settings.model.dimension},
                                    {"history", settings.model.history},
                                    {"k", settings.k},
                                    {"connections", settings.load.connections},
                                    {"seconds", settings.load.seconds},
                                    {"workers", settings.serving.batcher.workers},
                                    {"server_cpus", settings.server_cpus},
                                    {"client_cpus", settings.client_cpus}},
                                   settings.json, settings.svg);
  if (!report.ok()) return report.status();
  if (const auto s = measure({.what = "echo"}, echo_load(settings.load), **echo, *report); !s.ok()) return s.status();
  if (absl::Status s = measure_mix(settings, *load, **served, *report); !s.ok()) return s;
  if (settings.model.attributes > 0)
    if (absl::Status s = measure_attributes(settings, plain.serving.models, **without, **served, backends, *report); !s.ok()) return s;
  return report->finish();
}

absl::Status run(Settings& settings, const BackendFactory& backends) {
  if (settings.model.customers < 1 || settings.model.items < 2 || settings.model.dimension < 1 ||
      settings.model.dimension > kMaxDimension || settings.model.attributes < 0 || settings.model.attributes > server::kMaxAttributes)
    return wrong_usage("the generated model needs customers, at least two items, a dimension of 1 to 1024 and at most 5000 attributes");
  auto mix = parse_mix(settings.mix_text);
  if (!mix.ok()) return mix.status();
  settings.mix = *std::move(mix);
  for (const int32_t percent : settings.at_percents)
    if (percent < 1 || percent > 1000) return wrong_usage("--at " + std::to_string(percent) + " is outside 1 to 1000");
  if (settings.client_cpus.empty())
    for (int32_t p = 0; p < static_cast<int32_t>(std::thread::hardware_concurrency()); ++p)
      if (std::find(settings.server_cpus.begin(), settings.server_cpus.end(), p) == settings.server_cpus.end())
        settings.client_cpus.push_back(p);
  const auto folder = ScratchFolder::make("bench");
  return folder.ok() ? run_in(folder->path(), settings, backends) : folder.status();
}

}  // namespace

void add_serve_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  settings->backend.threads = 1;
  CLI::App* command = bench.add_subcommand("serve", "Calls per second of a server and their latencies under load, beside a bare echo");
  command->footer(
      "Examples:\n  bouquet bench serve --items 20902 --dimension 64 --connections 64 --seconds 5 --json > serve.json\n"
      "  bouquet bench serve --mix recommend=80,record=15,profile=5 --at 50,70,90 --svg serve.svg\n"
      "  bouquet bench serve --attributes 5000 --connections 8 --seconds 3");
  command->add_option("--items", settings->model.items, "Items of the generated model")->capture_default_str();
  command->add_option("--customers", settings->model.customers, "Its customers")->capture_default_str();
  command->add_option("--dimension", settings->model.dimension, "Its dimension")->capture_default_str();
  command->add_option("--history", settings->model.history, "Items each customer has bought")->capture_default_str();
  command
      ->add_option("--attributes", settings->model.attributes,
                   "Attributes of customers: measures also what they cost in a request, by name and packed, beside one without")
      ->capture_default_str();
  command->add_option("-k,--k", settings->k, "Rows per answer")->capture_default_str();
  command->add_option("--connections", settings->load.connections, "Connections of the load")->capture_default_str();
  command->add_option("--client-threads", settings->load.threads, "Threads that make the load")->capture_default_str();
  command->add_option("--seconds", settings->load.seconds, "Of each run")->capture_default_str();
  command->add_option("--requests", settings->load.max_requests, "Of each run at most")->capture_default_str();
  command->add_option("--mix", settings->mix_text, "Which calls in which shares: recommend, explain, similar, profile, record")
      ->capture_default_str()
      ->type_name("KIND=SHARE,...");
  auto* at = command->add_option("--at", settings->at_percents, "Percent of the capacity found, of the open-loop runs")
                 ->delimiter(',')
                 ->capture_default_str();
  command->add_option("--rate", settings->rates, "Instead of --at: calls per second of the open-loop runs")->excludes(at);
  command->add_option("--server-cpus", settings->server_cpus, "Processors of the server")->capture_default_str();
  command->add_option("--client-cpus", settings->client_cpus, "Processors of the load; default: all others");
  command->add_option("--workers", settings->serving.batcher.workers, "As for serve")->capture_default_str();
  command->add_option("--max-batch", settings->serving.batcher.max_batch, "As for serve")->capture_default_str();
  command->add_option("--max-queue", settings->serving.batcher.queue.max_requests, "As for serve")->capture_default_str();
  command->add_option("--backend", settings->backend.name, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--threads", settings->backend.threads, "Threads of the cpu backend")->capture_default_str();
  command->add_option("--svg", settings->svg, "Also write a plot of the latencies at shares of the capacity")->type_name("FILE");
  command->add_flag("--json", settings->json, "One JSON document on stdout");
  command->callback([settings, backends, &exit_code] { exit_code = report(run(*settings, backends)); });
}

}  // namespace bouquet::bench
