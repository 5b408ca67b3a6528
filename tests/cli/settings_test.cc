#include "cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/errors.h"
#include "tests/cli/shop_app.h"

namespace bouquet::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Settings : public ::testing::Test {
 protected:
  Settings() : path_(std::filesystem::temp_directory_path() / ("bouquet_settings_" + std::to_string(getpid()) + ".toml")) {}
  ~Settings() override { std::filesystem::remove(path_); }

  std::string file(const std::string& text) {
    std::ofstream(path_) << text;
    return path_.string();
  }

  // Completes and parses; `shop_` then holds what the command would have seen.
  CommandLine parsed(const std::vector<std::string>& arguments, const Environment& environment = {}) {
    auto line = complete_command_line(shop_.app, arguments, environment);
    EXPECT_TRUE(line.ok()) << line.status();
    if (!line.ok()) return {};
    shop_.app.parse(std::vector<std::string>(line->arguments.rbegin(), line->arguments.rend()));
    return *std::move(line);
  }

  std::string refusal(const std::vector<std::string>& arguments, const Environment& environment) {
    const auto line = complete_command_line(shop_.app, arguments, environment);
    return line.ok() ? "not refused" : std::string(message_of(line.status()));
  }

  static const Setting& setting(const CommandLine& line, const std::string& name) {
    return *std::find_if(line.settings.begin(), line.settings.end(), [&](const Setting& s) { return s.name == name; });
  }

  ShopApp shop_;
  std::filesystem::path path_;
};

TEST_F(Settings, FlagBeatsVariableBeatsFileBeatsDefault) {
  const std::string config = file("[train]\nthreads = 1\n");
  const std::vector<std::string> bare = {"train", "--events", "e.csv"};
  auto with_config = bare;
  with_config.insert(with_config.end(), {"--config", config});
  auto with_flag = with_config;
  with_flag.insert(with_flag.end(), {"--threads", "3"});

  EXPECT_EQ(setting(parsed(bare), "threads").origin, "default");
  EXPECT_EQ(shop_.threads, 0);
  EXPECT_EQ(setting(parsed(with_config), "threads").origin, config + ":2");
  EXPECT_EQ(shop_.threads, 1);
  EXPECT_EQ(setting(parsed(with_config, {{"BOUQUET_THREADS", "2"}}), "threads").origin, "BOUQUET_THREADS");
  EXPECT_EQ(shop_.threads, 2);
  EXPECT_EQ(setting(parsed(with_flag, {{"BOUQUET_THREADS", "2"}}), "threads").origin, "flag");
  EXPECT_EQ(shop_.threads, 3);
}

TEST_F(Settings, TheFileIsNamedBeforeOrAfterTheCommandOrByAVariable) {
  const std::string config = file("[train]\nthreads = 5\nevents = ['a.csv', 'b.csv']\n");
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"--config", config, "train"},
                                                                     {"--config=" + config, "train"},
                                                                     {"train", "--config", config},
                                                                     {"train", "--config=" + config}}) {
    shop_.threads = 0;
    parsed(arguments);
    EXPECT_EQ(shop_.threads, 5);
    EXPECT_THAT(shop_.events, ElementsAre("a.csv", "b.csv"));
  }
  shop_.threads = 0;
  parsed({"train"}, {{"BOUQUET_CONFIG", config}});
  EXPECT_EQ(shop_.threads, 5);
}

TEST_F(Settings, ARequiredFlagMayComeFromAVariable) {
  parsed({"train"}, {{"BOUQUET_EVENTS", "a.csv,b.csv"}});
  EXPECT_THAT(shop_.events, ElementsAre("a.csv", "b.csv"));
}

TEST_F(Settings, ShortFlagsCountAsGiven) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"recommend", "-k", "7"}, {"recommend", "-k7"}, {"recommend", "-jk7"}, {"recommend", "--top=7"}}) {
    EXPECT_EQ(setting(parsed(arguments, {{"BOUQUET_TOP", "3"}}), "top").origin, "flag") << arguments[1];
    EXPECT_EQ(shop_.top, 7);
  }
}

TEST_F(Settings, NegativeNumbersAndTextWithDashesAreValues) {
  const std::string config = file("[train]\ntitle = '--json'\n");
  parsed({"train", "--events", "e", "--threads", "-2", "--config", config});
  EXPECT_EQ(shop_.threads, -2);
  EXPECT_EQ(shop_.title, "--json");
}

TEST_F(Settings, AnEmptyTextIsAValue) {
  shop_.title = "before";
  parsed({"train", "--events", "e"}, {{"BOUQUET_TITLE", ""}});
  EXPECT_EQ(shop_.title, "");
}

TEST_F(Settings, AListFromTheFileTakesNoFileNameForItsOwn) {
  parsed({"inspect", "a.csv", "b.csv"}, {{"BOUQUET_WHERE", "store = 7"}});
  EXPECT_THAT(shop_.files, ElementsAre("a.csv", "b.csv"));
  EXPECT_THAT(shop_.where, ElementsAre("store = 7"));
  parsed({"inspect", "--", "--odd.csv"}, {{"BOUQUET_WHERE", "store = 7"}});
  EXPECT_THAT(shop_.files, ElementsAre("--odd.csv"));
  EXPECT_THAT(shop_.where, ElementsAre("store = 7"));
}

TEST_F(Settings, SwitchesAreTrueOrFalse) {
  for (const char* yes : {"true", "1", "yes", "on"}) {
    shop_.dry_run = false;
    parsed({"train", "--events", "e"}, {{"BOUQUET_DRY_RUN", yes}});
    EXPECT_TRUE(shop_.dry_run) << yes;
  }
  for (const char* no : {"false", "0", "no", "off", ""}) {
    shop_.dry_run = false;
    parsed({"train", "--events", "e"}, {{"BOUQUET_DRY_RUN", no}});
    EXPECT_FALSE(shop_.dry_run) << no;
  }
  EXPECT_EQ(refusal({"train"}, {{"BOUQUET_DRY_RUN", "maybe"}}), "BOUQUET_DRY_RUN: 'maybe' is neither true nor false");
}

TEST_F(Settings, SeveralValuesForAFlagThatTakesOneAreRefused) {
  const std::string config = file("[train]\nthreads = [1, 2]\n");
  EXPECT_EQ(refusal({"train", "--config", config}, {}), config + ":2: 'threads' takes one value, not 2");
}

TEST_F(Settings, VariablesOfOtherCommandsAreLeftAlone) {
  parsed({"recommend"}, {{"BOUQUET_THREADS", "abc"}, {"BOUQUET_REQUIRE_GPU", "1"}});
  EXPECT_EQ(shop_.top, 10);
}

TEST_F(Settings, TheWholeFileIsCheckedWhateverTheCommand) {
  const std::string config = file("[train]\nthread = 1\n");
  EXPECT_THAT(refusal({"recommend", "--config", config}, {}), HasSubstr("did you mean 'threads'?"));
}

TEST_F(Settings, HelpNeedsNoFile) {
  const auto line = complete_command_line(shop_.app, {"train", "--help", "--config", "no/such/file"}, {});
  EXPECT_TRUE(line.ok());
}

class CommandLineErrors : public Settings {
 protected:
  int parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "bouquet");
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = parse_command_line(shop_.app, static_cast<int>(arguments.size()), arguments.data());
    out_ = ::testing::internal::GetCapturedStdout();
    error_ = ::testing::internal::GetCapturedStderr();
    return code;
  }

  std::string out_, error_;
};

TEST_F(CommandLineErrors, EndWithExitCode2AndNameTheNearestFlag) {
  EXPECT_EQ(parse({"train", "--events", "e", "--thread", "2"}), kExitUsage);
  EXPECT_THAT(error_, HasSubstr("--thread"));
  EXPECT_THAT(error_, HasSubstr("did you mean '--threads'?"));
  EXPECT_EQ(parse({"train"}), kExitUsage);
  EXPECT_EQ(parse({}), kExitUsage);
  EXPECT_EQ(out_, "");
}

TEST_F(CommandLineErrors, SayWhichVariableABadValueComesFrom) {
  setenv("BOUQUET_THREADS", "many", 1);
  EXPECT_EQ(parse({"train", "--events", "e"}), kExitUsage);
  unsetenv("BOUQUET_THREADS");
  EXPECT_THAT(error_, HasSubstr("--threads comes from BOUQUET_THREADS"));
}

TEST_F(CommandLineErrors, HelpEndsWith0OnStdout) {
  EXPECT_EQ(parse({"train", "--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("--config"));
  EXPECT_EQ(error_, "");
}

TEST_F(CommandLineErrors, NothingEndsWhenAllIsWell) { EXPECT_EQ(parse({"recommend"}), kNotEnded); }

}  // namespace
}  // namespace bouquet::cli
