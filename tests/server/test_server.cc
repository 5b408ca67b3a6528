#include "tests/server/test_server.h"

#include <httplib.h>

#include <thread>

namespace bouquet::server {

std::string TestServer::publish(const TinyShop& shop, bool activate) { return publish(shop.artifact(), activate); }

std::string TestServer::publish(Artifact artifact, bool activate) { return publish_in(models_, std::move(artifact), activate); }

std::string TestServer::publish_in(const std::string& models, Artifact artifact, bool activate) {
  auto directory = ModelsDirectory::open(models);
  EXPECT_TRUE(directory.ok()) << directory.status();
  artifact.version.clear();
  artifact.recipe.options.dimension = artifact.model.dimension;
  const auto version = directory->publish(std::move(artifact), activate);
  EXPECT_TRUE(version.ok()) << version.status();
  return version.ok() ? *version : std::string();
}

ServingOptions TestServer::options() const {
  ServingOptions options;
  options.models = models_;
  options.listen = "unix:" + folder_.path() + "/rpc";
  options.admin_grpc = "unix:" + folder_.path() + "/admin";
  options.admin = "127.0.0.1:0";
  options.lame_duck = std::chrono::milliseconds(0);
  options.poll_interval = std::chrono::milliseconds(5);
  options.batcher.queue.max_wait = std::chrono::seconds(10);
  options.batcher.parked.max_wait = std::chrono::milliseconds(20);
  return options;
}

void TestServer::start_with_store() {
  ServingOptions with_store = options();
  with_store.store = store_;
  start(with_store);
}

void TestServer::restart_with_store() {
  serving_.reset();
  start_with_store();
}

void TestServer::start(const ServingOptions& options) {
  auto serving = Serving::start(options, *backend_);
  ASSERT_TRUE(serving.ok()) << serving.status();
  serving_ = *std::move(serving);
  admin_ = serving_->admin_address();
}

v1::EventResult TestServer::send(const std::string& customer, const v1::Event& event) {
  v1::RecordEventsRequest request;
  request.add_events()->set_customer_id(customer);
  *request.mutable_events(0)->mutable_event() = event;
  v1::RecordEventsResponse response;
  const grpc::Status status = call_method(&v1::Profiles::Stub::RecordEvents, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.results_size(), status.ok() ? 1 : 0);
  return response.results_size() == 1 ? response.results(0) : v1::EventResult();
}

int64_t TestServer::record(const std::string& customer, const std::string& item, const std::string& type) {
  v1::Event event;
  event.set_item_id(item);
  event.set_type(type);
  const v1::EventResult result = send(customer, event);
  EXPECT_EQ(result.code(), 0) << result.message();
  return result.profile_version();
}

v1::EraseCustomerResponse TestServer::erase(const std::string& customer, const std::string& request_id) {
  v1::EraseCustomerRequest request;
  request.set_customer_id(customer);
  request.set_request_id(request_id);
  v1::EraseCustomerResponse response;
  const grpc::Status status = call_method(&v1::Profiles::Stub::EraseCustomer, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

v1::RecommendResponse TestServer::recommend(const v1::RecommendRequest& request) {
  v1::RecommendResponse response;
  const grpc::Status status = call_method(&v1::Recommendations::Stub::Recommend, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

v1::RecommendResponse TestServer::recommend(const std::string& customer) {
  v1::RecommendRequest request;
  request.set_customer_id(customer);
  return recommend(request);
}

std::vector<std::string> TestServer::ids(const v1::RecommendResponse& response) {
  std::vector<std::string> out;
  for (const auto& row : response.results()) out.push_back(row.item_id());
  return out;
}

std::vector<v1::ExportCustomerResponse> TestServer::exported(const std::string& customer, grpc::StatusCode code) {
  v1::ExportCustomerRequest request;
  request.set_customer_id(customer);
  grpc::ClientContext context;
  v1::Profiles::Stub profiles(channel());
  const auto stream = profiles.ExportCustomer(&context, request);
  std::vector<v1::ExportCustomerResponse> pieces;
  for (v1::ExportCustomerResponse piece; stream->Read(&piece);) pieces.push_back(piece);
  EXPECT_EQ(stream->Finish().error_code(), code);
  return pieces;
}

int TestServer::metric(const std::string& name) const {
  const auto metrics = httplib::Client("http://" + admin_).Get("/metrics");
  if (!metrics) return 0;
  const size_t at = metrics->body.find("\n" + name + " ");
  return at == std::string::npos ? 0 : std::stoi(metrics->body.substr(at + name.size() + 2));
}

bool TestServer::becomes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

std::shared_ptr<grpc::Channel> TestServer::channel_to(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // its own connection, not one shared with other channels
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace bouquet::server
