#include "cli/settings_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/errors.h"
#include "tests/cli/shop_app.h"

namespace bouquet::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SettingsFileTest : public ::testing::Test {
 protected:
  ShopApp shop_;

  absl::StatusOr<SettingsFile> parsed(const std::string& text) { return SettingsFile::parse(text, "shop.toml", shop_.app); }
  std::string refusal(const std::string& text) {
    const auto file = parsed(text);
    if (file.ok()) return "not refused";
    EXPECT_EQ(exit_code(file.status()), kExitUsage);
    return std::string(message_of(file.status()));
  }
};

TEST_F(SettingsFileTest, KnowsEachKindOfValueAndItsPlace) {
  const auto file = parsed(
      "[train]\n"
      "threads = 4\n"
      "title = 'a = b'\n"
      "dry_run = true\n"
      "where = ['store = 7', \"day > 3\"]\n"
      "columns = {customer = 'household_id', item = 'product_id'}\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const CLI::App& train = *shop_.app.get_subcommand("train");
  EXPECT_THAT(file->find(train, "threads")->texts, ElementsAre("4"));
  EXPECT_EQ(file->find(train, "threads")->place, "shop.toml:2");
  EXPECT_THAT(file->find(train, "title")->texts, ElementsAre("a = b"));
  EXPECT_THAT(file->find(train, "dry-run")->texts, ElementsAre("true"));
  EXPECT_THAT(file->find(train, "where")->texts, ElementsAre("store = 7", "day > 3"));
  EXPECT_THAT(file->find(train, "columns")->texts, ElementsAre("customer=household_id,item=product_id"));
  EXPECT_EQ(file->find(train, "events"), nullptr);
  EXPECT_EQ(file->find(*shop_.app.get_subcommand("recommend"), "threads"), nullptr);
}

TEST_F(SettingsFileTest, WritesNumbersSoThatTheyComeBackTheSame) {
  const auto file = parsed("[train]\ntitle = 0.1\nthreads = -7\nwhere = [1e-30, 2026-01-02, 12:30:00]\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const CLI::App& train = *shop_.app.get_subcommand("train");
  EXPECT_THAT(file->find(train, "title")->texts, ElementsAre("0.1"));
  EXPECT_THAT(file->find(train, "threads")->texts, ElementsAre("-7"));
  EXPECT_THAT(file->find(train, "where")->texts, ElementsAre("1e-30", "2026-01-02", "12:30:00"));
}

TEST_F(SettingsFileTest, ATableOfAGroupSpeaksForItsCommandsAndTheirOwnTableComesFirst) {
  const auto file = parsed("[models]\nmodels = 'all'\n[models.show]\nmodels = 'one'\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const CLI::App& group = *shop_.app.get_subcommand("models");
  EXPECT_THAT(file->find(*group.get_subcommand("list"), "models")->texts, ElementsAre("all"));
  EXPECT_THAT(file->find(*group.get_subcommand("show"), "models")->texts, ElementsAre("one"));
}

TEST_F(SettingsFileTest, RefusesAnUnknownKeyAndNamesTheNearest) {
  EXPECT_EQ(refusal("[train]\nthread = 4\n"), "shop.toml:2: [train] has no key 'thread'; did you mean 'threads'?");
  EXPECT_EQ(refusal("\n[models.lst]\nmodels = 'x'\n"), "shop.toml:2: [models] has no key 'lst'; known are: models, models");
}

TEST_F(SettingsFileTest, RefusesAnUnknownTableAndNamesTheNearest) {
  EXPECT_EQ(refusal("[trian]\n"), "shop.toml:1: there is no table [trian]; did you mean 'train'?");
}

TEST_F(SettingsFileTest, RefusesAKeyOutsideEveryTable) {
  EXPECT_EQ(refusal("threads = 4\n"), "shop.toml:1: 'threads' stands in no table; settings stand under a command: [train]");
}

TEST_F(SettingsFileTest, LeavesWhatIsOfDataAndOfTheShopToTheirReaders) {
  EXPECT_TRUE(parsed("[events.wish]\nweight = 0.5\n[attributes.item.colour]\ntype = \"category\"\n[placements.home]\nk = "
                     "5\n[actions]\nvalue = 2\n[actions.call]\n")
                  .ok());
}

TEST_F(SettingsFileTest, SaysWhichTablesAreNotBuiltYet) {
  for (const char* table : {"nightly", "store"})
    EXPECT_THAT(refusal("[" + std::string(table) + "]\n"), HasSubstr("is not built yet")) << table;
}

TEST_F(SettingsFileTest, RefusesNestedValues) {
  EXPECT_THAT(refusal("[train]\nwhere = [[1]]\n"), HasSubstr("shop.toml:2: the elements of this array must be plain values"));
  EXPECT_THAT(refusal("[train]\ncolumns = {a = [1]}\n"), HasSubstr("the value of 'a' must be a plain value"));
}

TEST_F(SettingsFileTest, SaysWhereTheTomlIsBroken) { EXPECT_THAT(refusal("[train]\nthreads = = 4\n"), HasSubstr("shop.toml:2: ")); }

TEST_F(SettingsFileTest, AMissingFileAndAFolderAreMissingInput) {
  EXPECT_EQ(exit_code(SettingsFile::read("no/such/file.toml", shop_.app).status()), kExitBadInput);
  EXPECT_EQ(exit_code(SettingsFile::read(".", shop_.app).status()), kExitBadInput);
}

}  // namespace
}  // namespace bouquet::cli
