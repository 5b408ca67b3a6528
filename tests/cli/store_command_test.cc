#include "cli/store_command.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/server/event_store/small_store.h"
#include "tests/server/test_server.h"

namespace bouquet::cli {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

struct Answer {
  int exit_code = 0;
  std::string out, err;
  Json json() const { return Json::parse(out); }
};

Answer run(const std::string& words) {
  CLI::App app;
  Answer answer;
  add_store_command(app, answer.exit_code);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  try {
    app.parse("store " + words);
  } catch (const CLI::ParseError&) {
    answer.exit_code = 2;
  }
  answer.out = testing::internal::GetCapturedStdout();
  answer.err = testing::internal::GetCapturedStderr();
  return answer;
}

class StoreCommand : public server::TestServer {
 protected:
  void SetUp() override { publish(server::random_shop(60, 10, 8, 5)); }
  void start_with_backups() {
    server::ServingOptions with_backups = options();
    with_backups.store = store_;
    with_backups.backups = backups_;
    with_backups.event_id_days = 45;
    start(with_backups);
    for (const char* customer : {"ann", "bob"}) {
      bouquet::v1::RecordEventsRequest request;
      request.add_events()->set_customer_id(customer);
      request.mutable_events(0)->mutable_event()->set_item_id("item0");
      bouquet::v1::RecordEventsResponse response;
      ASSERT_TRUE(call_method(&bouquet::v1::Profiles::Stub::RecordEvents, request, &response).ok());
    }
  }

  std::string backups_ = folder_.path() + "/backups", restored_ = folder_.path() + "/restored";
  std::string to_server_ = " --server unix:" + folder_.path() + "/admin ", to_store_ = " --store " + store_ + " ";
};

TEST_F(StoreCommand, AsksARunningServerAndSaysTheSameAsOffline) {
  start_with_backups();
  const Answer online = run("stats --json" + to_server_), beside = run("stats --json" + to_store_);
  ASSERT_EQ(online.exit_code, 0) << online.err;
  EXPECT_EQ(online.json()["events"], 2);
  EXPECT_EQ(online.json()["event_id_days"], 45);
  for (const char* member :
       {"events", "customers", "items", "event_types", "newest_sequence", "event_id_days", "oldest_event", "newest_event"})
    EXPECT_EQ(online.json()[member], beside.json()[member]) << member;
  const Answer backup = run("backup --json" + to_server_);
  ASSERT_EQ(backup.exit_code, 0) << backup.err;
  EXPECT_EQ(backup.json()["backup"], 1);
  EXPECT_EQ(backup.json()["sequence"], 2);
  EXPECT_GT(run("compact --json" + to_server_).json()["bytes"], 0);
  EXPECT_EQ(run("backup" + to_store_ + "--to " + backups_).exit_code, 4) << "the server has it open";
  serving_.reset();
  EXPECT_EQ(run("backup --json" + to_store_ + "--to " + backups_).json()["backup"], 2);
  EXPECT_EQ(run("stats" + to_server_).exit_code, 4);
}

TEST_F(StoreCommand, RestoreAsksForTheNewestErasures) {
  start_with_backups();
  ASSERT_EQ(run("backup" + to_server_).exit_code, 0);
  bouquet::v1::EraseCustomerRequest request;
  request.set_customer_id("ann");
  bouquet::v1::EraseCustomerResponse response;
  ASSERT_TRUE(call_method(&bouquet::v1::Profiles::Stub::EraseCustomer, request, &response).ok());
  const std::string restore = "restore --json --from " + backups_ + " --store " + restored_;
  const Answer refused = run(restore);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--without-newer-erasures"));
  const Answer restored = run(restore + " --erasures-from " + store_);
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(restored.json()["erased_again"], 1);
  EXPECT_EQ(run("stats --json --store " + restored_).json()["customers"], 1);
  EXPECT_EQ(run(restore + "2 --without-newer-erasures").json()["erased_again"], 0);
  EXPECT_EQ(run("stats --json --store " + restored_ + "2").json()["customers"], 2);
  const Answer verified = run("verify --json --from " + backups_);
  ASSERT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_EQ(verified.json()["backups"][0]["sound"], true);
}

TEST_F(StoreCommand, OnePlaceIsToBeNamed) {
  for (const std::string& words : {std::string("stats"), "stats" + to_store_ + to_server_, std::string("compact"),
                                   "backup --to " + backups_, "backup" + to_store_, "backup" + to_server_ + "--to " + backups_}) {
    const Answer answer = run(words);
    EXPECT_EQ(answer.exit_code, 2) << words;
    EXPECT_THAT(answer.err, HasSubstr("--s")) << words;
  }
}

TEST_F(StoreCommand, TheListenerOfEverybodyIsNotTheOne) {
  start_with_backups();
  const Answer answer = run("backup --server unix:" + folder_.path() + "/rpc");
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.err, HasSubstr("--admin-grpc"));
}

}  // namespace
}  // namespace bouquet::cli
