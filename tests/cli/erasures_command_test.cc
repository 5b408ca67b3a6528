#include "cli/erasures_command.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <string>

#include "engine/models_directory.h"
#include "nlohmann/json.hpp"
#include "tests/engine/tiny_artifact.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Answer {
  int exit_code = 0;
  std::string out, err;
};

Answer run(const std::string& words) {
  CLI::App app;
  Answer answer;
  add_erasures_command(app, answer.exit_code);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  try {
    app.parse("erasures " + words);
  } catch (const CLI::ParseError&) {
    answer.exit_code = 2;
  }
  answer.out = testing::internal::GetCapturedStdout();
  answer.err = testing::internal::GetCapturedStderr();
  return answer;
}

class ErasuresCommand : public testing::Test {
 protected:
  std::string publish(const std::string& identity, uint64_t sequence) {
    Artifact artifact = tiny_artifact();  // of ann, bob and céline
    artifact.recipe.store = {identity, sequence};
    return ModelsDirectory::open(models_.path()).value().publish(artifact, true).value();
  }
  std::string show(const std::string& customer) {
    const std::string receipt = store_.store->receipt_id_of(store_.erase(customer).sequence);
    const Answer answer = run("show " + receipt + " --store " + store_.folder() + " --models " + models_.path());
    EXPECT_EQ(answer.exit_code, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr(receipt + ", erased at 2023-11-14 22:13:20 UTC"));
    EXPECT_THAT(answer.out, Not(HasSubstr(customer)));
    return answer.out;
  }

  server::SmallStore store_;
  TestFolder models_;
};

TEST_F(ErasuresCommand, ListHasALineForEach) {
  EXPECT_EQ(run("list --store " + store_.folder()).out, "nobody was erased\n");
  store_.append({{.customer = "ann", .item = "tea"}, {.customer = "ann", .item = "jam"}});
  store_.erase("ann");
  store_.keep_answer("eve", 1, "inputs");
  store_.now += 1;
  store_.erase("eve");
  const std::string id = store_.database->identity().substr(0, 8);
  EXPECT_EQ(run("list --store " + store_.folder()).out,
            id + "-3  2023-11-14 22:13:20 UTC  2 events, 0 attributes  gone from the store's files: not yet\n" + id +
                "-4  2023-11-14 22:13:20 UTC  0 events, 0 attributes, inputs of 1 answers  gone from the store's files: not yet\n");
}

TEST_F(ErasuresCommand, ShowSaysWhichModelsHaveARow) {
  store_.append({{.customer = "ann", .item = "tea"}});
  const std::string of_files = publish("", 0), before = publish(store_.database->identity(), 1),
                    after = publish(store_.database->identity(), 2), of_another = publish("another", 2);
  EXPECT_THAT(show("ann"), AllOf(HasSubstr(of_files + ": HAS A ROW"), HasSubstr(before + ": HAS A ROW"),
                                 HasSubstr(after + ": no row from before the erasure"), HasSubstr(of_another + ": HAS A ROW"),
                                 HasSubstr("1 events, 0 attributes")));
  store_.merge("visitor", "bob");
  EXPECT_THAT(show("visitor"), HasSubstr(of_files + ": HAS A ROW")) << "the other id of the person has one";
  EXPECT_THAT(show("somebody else"), AllOf(HasSubstr(of_files + ": no row\n"), Not(HasSubstr("HAS A ROW"))));
}

TEST_F(ErasuresCommand, ScrubTakesTheRowsOutOfEveryVersionThatHasThem) {
  store_.append({{.customer = "ann", .item = "tea"}});
  const std::string of_files = publish("", 0);
  store_.erase("ann");
  const std::string after = publish(store_.database->identity(), 2);
  const std::string current = publish("", 0);
  const Answer answer = run("scrub --store " + store_.folder() + " --models " + models_.path());
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out,
              AllOf(HasSubstr(of_files + ": 1 rows emptied"), HasSubstr(after + ": no row"), HasSubstr(current + ": 1 rows emptied")));
  EXPECT_THAT(answer.out, Not(HasSubstr("ann")));
  const ModelsDirectory directory = ModelsDirectory::open_existing(models_.path()).value();
  ASSERT_EQ(directory.versions().size(), 3u);
  EXPECT_EQ(directory.versions()[1], after);
  EXPECT_EQ(directory.current().value(), directory.versions()[2]);
  EXPECT_THAT(show("quentin"), AllOf(HasSubstr(directory.versions()[0] + ": no row; written anew at 20"), HasSubstr(after + ": no row\n"),
                                     HasSubstr("item vectors of models from before: keep"), HasSubstr("`recommend --all`")));
  for (const std::string& version : directory.versions()) {
    const auto artifact = directory.load(version).value();
    ASSERT_EQ(artifact->replaces.size(), version == after ? 0u : 1u);
    if (version != after) {
      EXPECT_EQ(artifact->replaces[0].version, version == directory.versions()[0] ? of_files : current);
    }
    EXPECT_EQ(artifact->customer_ids.find("ann") == kNone, version != after) << version;
    EXPECT_NE(artifact->customer_ids.find("bob"), kNone);
  }
  EXPECT_THAT(run("scrub --store " + store_.folder() + " --models " + models_.path()).out, Not(HasSubstr("emptied")));
}

// The row of a person is of all who were one then; of it nobody's part can be taken alone.
TEST_F(ErasuresCommand, ScrubEmptiesTheRowsOfThoseWhoWereTakenApartToo) {
  store_.append({{.customer = "visitor", .item = "tea"}, {.customer = "bob", .item = "jam"}});
  const std::string apart = publish(store_.database->identity(), 2);  // of bob alone
  const std::string together = publish(store_.database->identity(), store_.merge("visitor", "bob").sequence);
  const std::string words = "scrub --store " + store_.folder() + " --models " + models_.path();
  EXPECT_THAT(run(words).out, Not(HasSubstr("emptied"))) << "they are one person, whom nobody has erased";
  store_.unmerge("visitor");
  store_.erase("visitor");
  const Answer answer = run(words);
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr(apart + ": no row"), HasSubstr(together + ": 1 rows emptied")));
  const ModelsDirectory directory = ModelsDirectory::open_existing(models_.path()).value();
  ASSERT_EQ(directory.versions().size(), 2u);
  EXPECT_NE(directory.load(apart).value()->customer_ids.find("bob"), kNone) << "his own row is his";
  const auto scrubbed = directory.load(directory.versions()[1]).value();
  EXPECT_EQ(scrubbed->customer_ids.find("bob"), kNone) << "the visitor's purchases were in it";
  EXPECT_NE(scrubbed->customer_ids.find("ann"), kNone);
  EXPECT_THAT(run(words).out, Not(HasSubstr("emptied")));
}

TEST_F(ErasuresCommand, ScrubGoesOnPastADamagedVersionAndSaysSo) {
  const std::string damaged = publish("", 0), sound = publish("", 0);
  store_.erase("ann");
  std::filesystem::resize_file(models_.path() + "/" + damaged + "/manifest.json", 10);
  const Answer answer = run("scrub --store " + store_.folder() + " --models " + models_.path());
  EXPECT_NE(answer.exit_code, 0);
  EXPECT_THAT(answer.out, AllOf(HasSubstr(damaged + ": NOT SCRUBBED"), HasSubstr(sound + ": 1 rows emptied")));
}

TEST_F(ErasuresCommand, WhatIsNotThereIsSaid) {
  store_.erase("ann");
  Answer answer = run("show 00000000-1 --store " + store_.folder());
  EXPECT_NE(answer.exit_code, 0);
  EXPECT_THAT(answer.err, HasSubstr("has no erasure '00000000-1'"));
  answer = run("list --store " + models_.path());
  EXPECT_NE(answer.exit_code, 0);
  EXPECT_THAT(answer.err, HasSubstr("there is no store"));
}

TEST_F(ErasuresCommand, AreListedAndShownAsJson) {
  using Json = nlohmann::json;
  const auto list = [&] { return Json::parse(run("list --json --store " + store_.folder()).out); };
  EXPECT_EQ(list(), (Json{{"erasures", Json::array()}}));
  store_.append({{.customer = "ann", .item = "tea"}});
  const std::string holding = publish("", 0);
  const std::string receipt = store_.store->receipt_id_of(store_.erase("ann").sequence);
  const std::string newer = publish(store_.database->identity(), 100);
  const Json one = list()["erasures"].at(0);
  EXPECT_EQ(one["receipt_id"], receipt);
  EXPECT_EQ(one["erase_time"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(one["events"], 1);
  EXPECT_EQ(one["attributes"], 0);
  EXPECT_TRUE(one["files_gone_time"].is_null());
  const std::string show = "show " + receipt + " --json --store " + store_.folder();
  Json shown = Json::parse(run(show).out);
  EXPECT_TRUE(shown["models"].is_null());
  shown.erase("models");
  EXPECT_EQ(shown, one);
  const Json models = Json::parse(run(show + " --models " + models_.path()).out)["models"];
  std::map<std::string, std::string> states;
  for (const Json& model : models) states[model["version"]] = model["state"];
  EXPECT_EQ(states, (std::map<std::string, std::string>{{holding, "row"}, {newer, "newer"}}));
  run("scrub --store " + store_.folder() + " --models " + models_.path());
  const Json scrubbed = Json::parse(run(show + " --models " + models_.path()).out)["models"];
  ASSERT_EQ(scrubbed.size(), 2u);
  EXPECT_EQ(scrubbed[0]["state"], "no_row");
  EXPECT_THAT(scrubbed[0]["rewritten_time"].get<std::string>(), testing::EndsWith("Z"));
  EXPECT_TRUE(scrubbed[1]["rewritten_time"].is_null());
}

}  // namespace
}  // namespace bouquet::cli
