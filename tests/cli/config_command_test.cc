#include "cli/config_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/settings.h"
#include "engine/errors.h"
#include "tests/cli/shop_app.h"

namespace bouquet::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConfigCommand : public ::testing::Test {
 protected:
  // Runs `bouquet config ...` in a fresh program; what it printed is in out_ and error_.
  int config(std::vector<std::string> arguments) {
    ShopApp shop;
    int exit_code = 0;
    add_config_command(shop.app, exit_code);
    std::vector<const char*> argv = {"bouquet", "config"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int ended = parse_command_line(shop.app, static_cast<int>(argv.size()), argv.data());
    out_ = ::testing::internal::GetCapturedStdout();
    error_ = ::testing::internal::GetCapturedStderr();
    return ended == kNotEnded ? exit_code : ended;
  }

  std::string out_, error_;
};

TEST_F(ConfigCommand, SaysWhereEachValueComesFrom) {
  setenv("BOUQUET_TITLE", "weekly", 1);
  EXPECT_EQ(config({"train", "--threads", "3"}), 0);
  unsetenv("BOUQUET_TITLE");
  EXPECT_THAT(out_, HasSubstr("[train]\n"));
  EXPECT_THAT(out_, HasSubstr("threads = 3  # flag\n"));
  EXPECT_THAT(out_, HasSubstr("title = \"weekly\"  # BOUQUET_TITLE\n"));
  EXPECT_THAT(out_, HasSubstr("dry-run = false  # default\n"));
  EXPECT_THAT(out_, HasSubstr("# events =  # not set, required\n"));
  EXPECT_THAT(out_, Not(HasSubstr("[recommend]")));
}

TEST_F(ConfigCommand, WhatItPrintsGivesTheSameSettingsBack) {
  const std::string path = std::filesystem::temp_directory_path() / ("bouquet_config_" + std::to_string(getpid()) + ".toml");
  const std::vector<std::string> flags = {"train",   "--events", "a \"b\".csv", "c.csv", "--where",   "007",
                                          "--title", "1e5",      "--threads",   "-4",    "--columns", "customer=id"};
  ASSERT_EQ(config(flags), 0);
  std::ofstream(path) << out_;
  ASSERT_EQ(config({"train", "--json"}), 0);
  auto arguments = flags;
  arguments.push_back("--json");
  ASSERT_EQ(config(arguments), 0);
  const auto from_flags = nlohmann::json::parse(out_);
  ASSERT_EQ(config({"train", "--json", "--config", path}), 0) << error_;
  const auto from_file = nlohmann::json::parse(out_);
  std::filesystem::remove(path);
  EXPECT_EQ(from_flags["train"].size(), 6u);
  for (const auto& [name, setting] : from_flags["train"].items()) EXPECT_EQ(setting["value"], from_file["train"][name]["value"]) << name;
}

TEST_F(ConfigCommand, ShowsEveryCommandWhenNoneIsNamed) {
  EXPECT_EQ(config({}), 0);
  for (const char* table : {"[train]", "[recommend]", "[inspect]", "[models.list]", "[models.show]"}) EXPECT_THAT(out_, HasSubstr(table));
}

TEST_F(ConfigCommand, NamesTheNearestCommand) {
  EXPECT_EQ(config({"trian"}), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("there is no command 'trian'; did you mean 'train'?"));
  EXPECT_EQ(config({"models", "lst"}), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("did you mean 'list'?"));
}

}  // namespace
}  // namespace bouquet::cli
