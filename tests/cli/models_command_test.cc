#include "cli/models_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "engine/models_directory.h"
#include "tests/engine/tiny_artifact.h"

namespace bouquet::cli {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;

struct Answer {
  int exit_code = 0;
  std::string out, err;
  ordered_json json() const { return ordered_json::parse(out); }
};

class ModelsCommand : public testing::Test {
 protected:
  void SetUp() override {
    ModelsDirectory directory = open();
    first_ = directory.publish(tiny_artifact(), true).value();
    Artifact changed = tiny_artifact();
    changed.recipe.epochs = 9;
    changed.metrics[0].metrics[0].value = 0.25;
    changed.item_ids = id_table({"milk", "bread", "tea", "wine"});
    changed.model.item_vectors = std::vector<float>{0, 1, 1, 0, 2, 0.25f, 1, 1};
    second_ = directory.publish(changed, true).value();
  }

  ModelsDirectory open() const {
    return ModelsDirectory::open(scratch_.path(), {.now = [] { return 1767268800000000; }, .before_step = {}}).value();
  }

  // Runs `bouquet models WORDS --models DIR`.
  Answer run(const std::string& words) const {
    CLI::App app;
    Answer answer;
    add_models_command(app, answer.exit_code);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
      app.parse("models " + words + " --models " + scratch_.path());
    } catch (const CLI::ParseError&) {
      answer.exit_code = 2;
    }
    answer.out = testing::internal::GetCapturedStdout();
    answer.err = testing::internal::GetCapturedStderr();
    return answer;
  }

  void damage(const std::string& version) const {
    std::string bytes = read_file(scratch_.path() + "/" + version + "/profiles.bin");
    bytes[3] = static_cast<char>(bytes[3] ^ 1);
    overwrite(scratch_.path() + "/" + version + "/profiles.bin", bytes);
  }

  TestFolder scratch_;
  std::string first_, second_;
};

TEST_F(ModelsCommand, ListsVersionsAndMarksTheCurrentOne) {
  const Answer text = run("list");
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, HasSubstr("  " + first_ + "  2026-01-01T00:00:00Z"));
  EXPECT_THAT(text.out, HasSubstr("* " + second_));
  EXPECT_THAT(text.out, HasSubstr("recall@20 0.2500  ndcg@20 0.3333"));
  const ordered_json json = run("list --json").json();
  EXPECT_EQ(json["current"], second_);
  ASSERT_EQ(json["versions"].size(), 2u);
  const ordered_json& second = json["versions"][1];
  EXPECT_EQ(second["version"], second_);
  EXPECT_EQ(second["customers"], 3);
  EXPECT_EQ(second["items"], 4);
  EXPECT_EQ(second["dimension"], 2);
  EXPECT_EQ(second["metrics"][0]["metrics"]["recall@20"]["value"], 0.25);
  EXPECT_GT(second["bytes"], 100);
}

TEST_F(ModelsCommand, ListsADamagedVersionWithItsFault) {
  overwrite(scratch_.path() + "/" + first_ + "/manifest.json", "{}");
  const Answer text = run("list");
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, HasSubstr("damaged: "));
  EXPECT_THAT(run("list --json").json()["versions"][0]["damaged"].get<std::string>(), HasSubstr("manifest.sha256"));
}

TEST_F(ModelsCommand, SaysWhenNoVersionServes) {
  EXPECT_EQ(run("list").err, "");
  std::filesystem::remove_all(scratch_.path() + "/" + second_);  // CURRENT names it still
  const Answer answer = run("list");
  EXPECT_THAT(answer.out, HasSubstr("  " + first_));
  EXPECT_THAT(answer.err, HasSubstr("none of them is current"));
  EXPECT_EQ(run("activate " + first_).exit_code, 0);
}

TEST_F(ModelsCommand, ListsNothingWhereThereIsNothing) {
  std::filesystem::remove_all(scratch_.path() + "/" + first_);
  std::filesystem::remove_all(scratch_.path() + "/" + second_);
  std::filesystem::remove(scratch_.path() + "/CURRENT");
  EXPECT_EQ(run("list").out, "no models\n");
  EXPECT_EQ(run("list --json").json()["current"], nullptr);
}

TEST_F(ModelsCommand, SaysThatThereIsNoSuchDirectory) {
  std::filesystem::remove_all(scratch_.path());
  const Answer answer = run("list");
  EXPECT_EQ(answer.exit_code, 3);
  EXPECT_THAT(answer.err, HasSubstr("no such directory"));
}

TEST_F(ModelsCommand, ShowsWhereAVersionComesFrom) {
  const Answer text = run("show " + first_);
  EXPECT_EQ(text.exit_code, 0);
  for (const char* part : {"orders.csv", "7 epochs", "last-days:7", "purchase", "consumes", "recall@20", "[0.1000, 0.1500]", "3 customers"})
    EXPECT_THAT(text.out, HasSubstr(part));
  EXPECT_THAT(run("show").out, HasSubstr(second_ + " (current)"));
  const ordered_json json = run("show --json " + first_).json();
  EXPECT_EQ(json["current"], false);
  EXPECT_EQ(json["manifest"]["recipe"]["epochs"], 7);
  EXPECT_EQ(json["manifest"]["sections"][0]["name"], "item_vectors");
}

TEST_F(ModelsCommand, ActivatesAndRollsBack) {
  EXPECT_EQ(run("rollback").out, first_ + " is current; it was " + second_ + "\n");
  EXPECT_EQ(open().current().value(), first_);
  const Answer none = run("rollback");
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.err, HasSubstr("no version older"));
  EXPECT_EQ(run("activate --json " + second_).json()["before"], first_);
  EXPECT_EQ(open().current().value(), second_);
}

TEST_F(ModelsCommand, ActivatesNothingDamaged) {
  damage(first_);
  for (const std::string& words : {"activate " + first_, std::string("rollback")}) {
    const Answer answer = run(words);
    EXPECT_EQ(answer.exit_code, 3) << words;
    EXPECT_THAT(answer.err, HasSubstr("section profiles"));
    EXPECT_EQ(open().current().value(), second_);
  }
}

TEST_F(ModelsCommand, NamesTheNearestVersion) {
  std::string wrong = first_;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  for (const std::string& words : {"activate " + wrong, "show " + wrong, "verify " + wrong, "diff " + wrong + " " + second_}) {
    const Answer answer = run(words);
    EXPECT_EQ(answer.exit_code, 3) << words;
    EXPECT_THAT(answer.err, HasSubstr(first_)) << words;
  }
}

TEST_F(ModelsCommand, VerifiesOneOrAll) {
  EXPECT_EQ(run("verify").out, first_ + ": sound\n" + second_ + ": sound\n");
  damage(first_);
  const Answer all = run("verify");
  EXPECT_EQ(all.exit_code, 3);
  EXPECT_EQ(all.out, first_ + ": damaged\n" + second_ + ": sound\n");
  EXPECT_THAT(all.err, HasSubstr("section profiles"));
  EXPECT_EQ(run("verify " + second_).exit_code, 0);
  const ordered_json json = run("verify --json").json();
  EXPECT_EQ(json["versions"][0]["sound"], false);
  EXPECT_EQ(json["versions"][1]["sound"], true);
}

TEST_F(ModelsCommand, TellsWhatChanged) {
  const ordered_json json = run("diff --json " + first_ + " " + second_).json();
  EXPECT_EQ(json["settings"].size(), 1u) << json["settings"];
  EXPECT_EQ(json["settings"]["recipe/epochs"]["before"], 7);
  EXPECT_EQ(json["settings"]["recipe/epochs"]["after"], 9);
  EXPECT_EQ(json["items"], ordered_json({{"both", 3}, {"only_first", 1}, {"only_second", 1}}));
  EXPECT_EQ(json["customers"]["both"], 3);
  EXPECT_EQ(json["metrics"]["recall@20"]["after"], 0.25);
  EXPECT_EQ(json["neighbours"]["items_compared"], 3);
  const std::string text = run("diff " + first_ + " " + second_).out;
  EXPECT_THAT(text, HasSubstr("3 in both, 1 gone, 1 new"));
  EXPECT_THAT(text, HasSubstr("recipe/epochs"));
  EXPECT_THAT(text, HasSubstr("0.1250 -> 0.2500"));
}

TEST_F(ModelsCommand, FindsNoDifferenceBetweenAModelAndItselfTurned) {
  Artifact turned = tiny_artifact();  // every vector turned by a right angle: the same model
  std::vector<float> vectors;
  for (int i = 0; i < 4; ++i) vectors.insert(vectors.end(), {-turned.model.item_vectors[2 * i + 1], turned.model.item_vectors[2 * i]});
  turned.model.item_vectors = vectors;
  const std::string third = open().publish(turned, false).value();
  const ordered_json json = run("diff --json " + first_ + " " + third).json();
  EXPECT_TRUE(json["settings"].empty()) << json["settings"];
  EXPECT_EQ(json["neighbours"]["items_changed"], 0);
  EXPECT_EQ(json["neighbours"]["kept"], 1.0);
}

TEST_F(ModelsCommand, WantsAnActionAndAVersion) {
  EXPECT_EQ(run("").exit_code, 2);
  EXPECT_EQ(run("activate").exit_code, 2);
  EXPECT_EQ(run("diff " + first_).exit_code, 2);
}

}  // namespace
}  // namespace bouquet::cli
