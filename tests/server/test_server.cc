#include "tests/server/test_server.h"

namespace bouquet::server {

std::string TestServer::publish(const TinyShop& shop, bool activate) { return publish(shop.artifact(), activate); }

std::string TestServer::publish(Artifact artifact, bool activate) {
  auto directory = ModelsDirectory::open(models_);
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
}

std::shared_ptr<grpc::Channel> TestServer::channel_to(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // its own connection, not one shared with other channels
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace bouquet::server
