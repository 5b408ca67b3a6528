// A server in this process over a Unix socket, with its models in a folder of its own.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "bouquet/v1/audiences.grpc.pb.h"
#include "bouquet/v1/catalog.grpc.pb.h"
#include "bouquet/v1/models.grpc.pb.h"
#include "bouquet/v1/profiles.grpc.pb.h"
#include "bouquet/v1/recommendations.grpc.pb.h"
#include "cpu_fallback/cpu_backend.h"
#include "engine/models_directory.h"
#include "server/serving.h"
#include "tests/server/temporary_folder.h"
#include "tests/server/tiny_shop.h"

namespace bouquet::server {

class TestServer : public ::testing::Test {
 protected:
  // Publishes `shop` and makes it current. Returns its version.
  std::string publish(const TinyShop& shop, bool activate = true);
  std::string publish(Artifact artifact, bool activate = true);
  // What a test usually wants: no waiting, everything local.
  ServingOptions options() const;
  void start(const ServingOptions& options);
  // The same, with a store that stays from start to start.
  void start_with_store();
  void restart_with_store();

  // A channel of its own connection.
  std::shared_ptr<grpc::Channel> channel() const { return channel_to(serving_->address()); }
  static std::shared_ptr<grpc::Channel> channel_to(const std::string& address);
  std::unique_ptr<v1::Recommendations::Stub> stub() const { return v1::Recommendations::NewStub(channel()); }

  // One call of any service's method, on a connection of its own.
  template <typename Service, typename Request, typename Response>
  grpc::Status call_method(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
                           Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    response->Clear();
    Service stub(channel());
    return (stub.*method)(&context, request, response);
  }

  TemporaryFolder folder_;
  std::string models_ = folder_.path() + "/models";
  std::string store_ = folder_.path() + "/store";
  std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(1);
  std::unique_ptr<Serving> serving_;
};

}  // namespace bouquet::server
