#include "bench/serve_bench.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/benched_server.h"
#include "bench/forked_server.h"
#include "bench/generated_model.h"
#include "bench/load_generator.h"
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

using Json = nlohmann::ordered_json;

struct Settings {
  GeneratedModel model;
  LoadPlan load;
  int32_t k = 10;
  server::ServingOptions serving;
  BackendChoice backend;
  std::vector<int32_t> server_cpus{0}, client_cpus;
  std::vector<double> rates;
  bool json = false;
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

// How the requests of a run say who asks.
enum class Asking { kById, kVisitor, kByName, kPacked };

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

// One request per customer and the bytes that must come back, made by the same code that answers offline.
absl::StatusOr<LoadPlan> prepare_load(const Settings& settings, const std::string& models, Asking asking, const BackendFactory& backends) {
  auto model = server::open_model(models, {}, settings.backend, backends);
  if (!model.ok()) return model.status();
  auto recommender = server::Recommender::make(*model->served, 1);
  if (!recommender.ok()) return recommender.status();
  LoadPlan load = settings.load;
  load.method = "/bouquet.v1.Recommendations/Recommend";
  const int32_t askers = asking == Asking::kById ? settings.model.customers : std::min(settings.model.customers, 50);
  for (int32_t c = 0; c < askers; ++c) {
    bouquet::v1::RecommendRequest request;
    if (asking == Asking::kById)
      request.set_customer_id(std::string(model->served->artifact().customer_ids.id(c)));
    else
      fill_visitor(settings, model->served->artifact(), c, asking, &request);
    request.set_k(settings.k);
    bouquet::v1::RecommendResponse response;
    if (absl::Status s = (*recommender)->recommend(request, &response); !s.ok()) return s;
    load.requests.push_back(request.SerializeAsString());
    load.answers.push_back(response.SerializeAsString());
  }
  return load;
}

LoadPlan echo_load(const LoadPlan& like) {
  LoadPlan plan = like;
  plan.method = "/bouquet.bench.v1.EchoService/Echo";
  v1::EchoRequest request;
  request.set_text("c1000000");
  plan.requests = plan.answers = {request.SerializeAsString()};
  return plan;
}

absl::StatusOr<Json> measure(const std::string& what, LoadPlan plan, const ForkedServer& server) {
  plan.address = server.address();
  const double cpu_before = server.cpu_seconds();
  auto result = run_load(plan);
  if (!result.ok()) return result.status();
  int64_t failed = 0;
  for (size_t code = 1; code < result->by_code.size(); ++code) failed += result->by_code[code];
  Json row{{"what", what},
           {"rate", plan.rate},
           {"answers_per_second", result->per_second()},
           {"ok", result->ok()},
           {"wrong", result->wrong},
           {"failed", failed},
           {"p50_ms", result->latency_ms(.5)},
           {"p99_ms", result->latency_ms(.99)},
           {"p999_ms", result->latency_ms(.999)},
           {"server_cpu_seconds", server.cpu_seconds() - cpu_before}};
  if (plan.warm_up_seconds == 0 && result->ok() > 0)
    row["server_cpu_us_per_answer"] = 1e6 * row["server_cpu_seconds"].get<double>() / static_cast<double>(result->ok());
  for (size_t code = 1; code < result->by_code.size(); ++code)
    if (result->by_code[code] > 0) row["by_code"][std::to_string(code)] = result->by_code[code];
  if (result->wrong > 0) return absl::InternalError(std::to_string(result->wrong) + " answers were wrong");
  return row;
}

void print(const Json& row) {
  const double rate = row["rate"];
  std::printf("  %-10s %12s %12.0f/s  wrong %lld  failed %lld  p50 %.2f  p99 %.2f  p99.9 %.2f ms\n", row["what"].get<std::string>().c_str(),
              rate > 0 ? std::to_string(static_cast<int64_t>(rate)).append("/s due").c_str() : "closed loop",
              row["answers_per_second"].get<double>(), row["wrong"].get<long long>(), row["failed"].get<long long>(),
              row["p50_ms"].get<double>(), row["p99_ms"].get<double>(), row["p999_ms"].get<double>());
  if (row.contains("server_cpu_us_per_answer"))
    std::printf("%37s %.0f us of the server's processors per answer\n", "", row["server_cpu_us_per_answer"].get<double>());
  std::fflush(stdout);
}

using AddRun = std::function<absl::Status(const std::string& what, const LoadPlan& plan, const ForkedServer& server)>;

// What attributes in a request cost: the same visitors asked for without them, of a model that takes none (`plain`), with all of them by
// name and packed.
absl::Status measure_attributes(const Settings& settings, const std::string& plain_models, const ForkedServer& plain,
                                const ForkedServer& served, const BackendFactory& backends, const AddRun& add) {
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
    auto load = prepare_load(settings, run.models, run.asking, backends);
    if (!load.ok()) return load.status();
    load->warm_up_seconds = 0;  // so that the server's time is that of the answers counted
    if (absl::Status s = add(run.what, *load, run.server); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status run_in(const std::string& folder, Settings& settings, const BackendFactory& backends) {
  settings.serving.models = folder + "/models";
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
  auto load = prepare_load(settings, settings.serving.models, Asking::kById, backends);
  if (!load.ok()) return load.status();
  Json report{{"items", settings.model.items},
              {"dimension", settings.model.dimension},
              {"k", settings.k},
              {"connections", settings.load.connections},
              {"server_cpus", settings.server_cpus},
              {"client_cpus", settings.client_cpus}};
  const auto add = [&](const std::string& what, const LoadPlan& plan, const ForkedServer& server) -> absl::Status {
    auto row = measure(what, plan, server);
    if (!row.ok()) return row.status();
    if (!settings.json) print(*row);
    report["runs"].push_back(*row);
    return absl::OkStatus();
  };
  if (absl::Status s = add("echo", echo_load(settings.load), **echo); !s.ok()) return s;
  if (absl::Status s = add("recommend", *load, **served); !s.ok()) return s;
  if (settings.rates.empty()) settings.rates = {0.7 * report["runs"].back()["answers_per_second"].get<double>()};
  for (const double rate : settings.rates) {
    LoadPlan plan = *load;
    plan.rate = rate;
    if (absl::Status s = add("recommend", plan, **served); !s.ok()) return s;
  }
  if (settings.model.attributes > 0)
    if (absl::Status s = measure_attributes(settings, plain.serving.models, **without, **served, backends, add); !s.ok()) return s;
  if (settings.json) std::printf("%s\n", report.dump(2).c_str());
  return absl::OkStatus();
}

absl::Status run(Settings& settings, const BackendFactory& backends) {
  if (settings.model.customers < 1 || settings.model.items < 2 || settings.model.dimension < 1 ||
      settings.model.dimension > kMaxDimension || settings.model.attributes < 0 || settings.model.attributes > server::kMaxAttributes)
    return wrong_usage("the generated model needs customers, at least two items, a dimension of 1 to 1024 and at most 5000 attributes");
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
  CLI::App* command = bench.add_subcommand("serve", "Recommend calls per second and their latencies, beside a bare echo");
  command->footer(
      "Examples:\n  bouquet bench serve --items 20902 --dimension 64 --connections 64 --seconds 5 --json > serve.json\n"
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
  command->add_option("--rate", settings->rates, "Requests per second of the open-loop runs; default: 0.7 of the capacity found");
  command->add_option("--server-cpus", settings->server_cpus, "Processors of the server")->capture_default_str();
  command->add_option("--client-cpus", settings->client_cpus, "Processors of the load; default: all others");
  command->add_option("--workers", settings->serving.batcher.workers, "As for serve")->capture_default_str();
  command->add_option("--max-batch", settings->serving.batcher.max_batch, "As for serve")->capture_default_str();
  command->add_option("--max-queue", settings->serving.batcher.queue.max_requests, "As for serve")->capture_default_str();
  command->add_option("--backend", settings->backend.name, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--threads", settings->backend.threads, "Threads of the cpu backend")->capture_default_str();
  command->add_flag("--json", settings->json, "One JSON document on stdout");
  command->callback([settings, backends, &exit_code] { exit_code = report(run(*settings, backends)); });
}

}  // namespace bouquet::bench
