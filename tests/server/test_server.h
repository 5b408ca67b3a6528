// A server in this process over a Unix socket, with its models in a folder of its own.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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
  static std::string publish_in(const std::string& models, Artifact artifact, bool activate = true);
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

  // RecordEvents of one event: what became of it.
  v1::EventResult send(const std::string& customer, const v1::Event& event);
  // One that is kept. Its profile version.
  int64_t record(const std::string& customer, const std::string& item, const std::string& type = "purchase");
  v1::EraseCustomerResponse erase(const std::string& customer, const std::string& request_id = {});
  // An answer that is expected.
  v1::RecommendResponse recommend(const v1::RecommendRequest& request);
  v1::RecommendResponse recommend(const std::string& customer);
  static std::vector<std::string> ids(const v1::RecommendResponse& response);
  std::vector<v1::ExportCustomerResponse> exported(const std::string& customer, grpc::StatusCode code = grpc::StatusCode::OK);
  // The value of a metric without labels, or of one with the labels given; 0 if there is none.
  int metric(const std::string& name) const;
  // Looks again and again, for ten seconds at most.
  static bool becomes_true(const std::function<bool()>& condition);

  TemporaryFolder folder_;
  std::string models_ = folder_.path() + "/models";
  std::string store_ = folder_.path() + "/store";
  std::unique_ptr<Backend> backend_ = *cpu::make_cpu_backend(1);
  std::unique_ptr<Serving> serving_;
  std::string admin_;  // of its pages
};

}  // namespace bouquet::server
