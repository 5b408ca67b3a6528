// The real server, killed right after it has acknowledged an erasure: whoever was erased stays nobody, and everybody else stays who they
// are.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "bouquet/v1/profiles.grpc.pb.h"
#include "tests/end_to_end/program.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

class Caller {
 public:
  explicit Caller(const Program& program) : stub_(v1::Profiles::NewStub(program.channel())) {}

  void record(const std::string& customer) {
    v1::RecordEventsRequest request;
    request.add_events()->set_customer_id(customer);
    request.mutable_events(0)->mutable_event()->set_item_id("item1");
    v1::RecordEventsResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(stub_->RecordEvents(&context, request, &response).ok());
    EXPECT_EQ(response.failed(), 0);
  }
  void erase(const std::string& customer) {
    v1::EraseCustomerRequest request;
    request.set_customer_id(customer);
    v1::EraseCustomerResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->EraseCustomer(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.events(), 1);
  }
  v1::Profile profile(const std::string& customer) {
    v1::GetProfileRequest request;
    request.set_customer_id(customer);
    v1::Profile profile;
    grpc::ClientContext context;
    const grpc::Status status = stub_->GetProfile(&context, request, &profile);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return profile;
  }

 private:
  const std::unique_ptr<v1::Profiles::Stub> stub_;
};

// Of two customers, to whom the same happens but for the erasure, one is gone and the other is there.
TEST(ErasureAfterKill9, Holds) {
  const TemporaryFolder folder;
  const std::string models = folder.path() + "/models", store = folder.path() + "/store";
  publish_current(models, random_shop(20, 2 * BOUQUET_KILLS, 4, 3).artifact());
  const auto gone = [](int kills) { return "customer" + std::to_string(2 * kills); };
  const auto kept = [](int kills) { return "customer" + std::to_string(2 * kills + 1); };
  for (int kills = 0; kills <= BOUQUET_KILLS; ++kills) {
    Program program(models, store, folder.path());
    Caller caller(program);
    for (int before = 0; before < kills; ++before) {
      EXPECT_FALSE(caller.profile(gone(before)).known()) << "after kill " << kills;
      EXPECT_EQ(caller.profile(gone(before)).profile_version(), 0);
      EXPECT_TRUE(caller.profile(kept(before)).known());
      EXPECT_NE(caller.profile(kept(before)).profile_version(), 0);
    }
    if (kills == BOUQUET_KILLS) break;
    caller.record(gone(kills));
    caller.record(kept(kills));
    EXPECT_TRUE(caller.profile(gone(kills)).known());
    caller.erase(gone(kills));
    program.kill();
  }
}

}  // namespace
}  // namespace bouquet::server
