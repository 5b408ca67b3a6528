#include "engine/models_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "engine/emptied_rows.h"
#include "engine/version_name.h"
#include "tests/engine/tiny_artifact.h"

namespace bouquet {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kNoon = 1767268800000000;  // 2026-01-01T12:00:00Z
constexpr int64_t kSecond = 1000000;

ModelsEnvironment at(int64_t now) {
  return {.now = [now] { return now; }, .before_step = {}};
}

ModelsDirectory opened(const std::string& path, ModelsEnvironment environment = {}) {
  auto directory = ModelsDirectory::open(path, std::move(environment));
  EXPECT_TRUE(directory.ok()) << directory.status();
  return *std::move(directory);
}

std::string published(ModelsDirectory& directory, bool activate = true) {
  const auto version = directory.publish(tiny_artifact(), activate);
  EXPECT_TRUE(version.ok()) << version.status();
  return version.value_or("");
}

std::vector<std::string> temporary_names(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().filename().string().find(".tmp-") != std::string::npos) names.push_back(entry.path().filename().string());
  return names;
}

// Runs `work` in a child process; returns how it ended, as waitpid says.
template <typename Work>
int in_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(ModelsDirectory, PublishesUnderTheTimeAndAHashOfTheContent) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path() + "/models", at(kNoon));
  const std::string version = published(directory);
  EXPECT_EQ(version, "20260101T120000Z-" + content_hash(directory.path() + "/" + version).value().substr(0, 8));
  EXPECT_EQ(directory.current().value(), version);
  EXPECT_THAT(directory.versions(), ElementsAre(version));
  const auto loaded = directory.load_current();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->version, version);
  EXPECT_EQ(read_file(directory.path() + "/CURRENT"), version + "\n");
}

TEST(ModelsDirectory, HoldsNothingAtFirst) {
  const TestFolder scratch;
  const ModelsDirectory directory = opened(scratch.path());
  EXPECT_THAT(directory.versions(), IsEmpty());
  EXPECT_EQ(directory.current().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(directory.load_current().status().code(), absl::StatusCode::kNotFound);
}

TEST(ModelsDirectory, LeavesTheCurrentVersionAloneWhenNotAskedToActivate) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path());
  const std::string first = published(directory);
  const std::string second = published(directory, false);
  EXPECT_EQ(directory.current().value(), first);
  EXPECT_THAT(directory.versions(), ElementsAre(first, second));
}

TEST(ModelsDirectory, FillsInParentAndTimeWhereTheyAreEmpty) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  const std::string first = published(directory);
  Artifact artifact = tiny_artifact();
  artifact.parent.clear();
  artifact.created_at = 0;
  const auto second = directory.publish(artifact, false);
  ASSERT_TRUE(second.ok());
  const Manifest manifest = directory.manifest(*second).value();
  EXPECT_EQ(manifest.artifact.parent, first);
  EXPECT_EQ(manifest.artifact.created_at, kNoon);
  EXPECT_EQ(manifest.artifact.version, *second);
}

TEST(ModelsDirectory, KeepsNamesInOrderWhenTheClockGoesBack) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  std::vector<std::string> names = {published(directory)};
  for (const int64_t now : {kNoon, kNoon - 86400 * kSecond, int64_t{0}, int64_t{-5}}) {
    ModelsDirectory later = opened(scratch.path(), at(now));
    names.push_back(published(later));
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(directory.versions(), names);
  EXPECT_EQ(names.back().substr(0, 16), "20260101T120004Z");
}

TEST(ModelsDirectory, ComesAfterADamagedVersionToo) {
  const TestFolder scratch;
  fs::create_directory(scratch.path() + "/20991231T235959Z-deadbeef");
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  EXPECT_EQ(published(directory).substr(0, 16), "21000101T000000Z");
}

TEST(ModelsDirectory, ActivatesAndRollsBack) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path());
  const std::string first = published(directory), second = published(directory), third = published(directory);
  EXPECT_EQ(directory.roll_back().value(), second);
  EXPECT_EQ(directory.current().value(), second);
  EXPECT_EQ(directory.roll_back().value(), first);
  EXPECT_EQ(directory.roll_back().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(directory.current().value(), first);
  ASSERT_TRUE(directory.activate(third).ok());
  EXPECT_EQ(directory.current().value(), third);
}

TEST(ModelsDirectory, NamesTheNearestVersionWhenOneIsUnknown) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  const std::string version = published(directory);
  std::string wrong = version;
  wrong[15] = 'X';
  for (const absl::Status& status : {directory.activate(wrong), directory.load(wrong).status(), directory.load("../etc").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(status.message()), HasSubstr(version));
  }
  EXPECT_EQ(directory.current().value(), version);
}

TEST(ModelsDirectory, ActivatesNothingThatHasNoManifest) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  const std::string version = published(directory);
  fs::create_directory(scratch.path() + "/20991231T235959Z-deadbeef");
  EXPECT_EQ(directory.activate("20991231T235959Z-deadbeef").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(directory.current().value(), version);
}

TEST(ModelsDirectory, RefusesACurrentThatNamesNoVersion) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path());
  const std::string version = published(directory);
  for (const std::string& text : {version, version + "\n\n", std::string("../../etc\n"), std::string(), std::string(300, 'x')}) {
    overwrite(scratch.path() + "/CURRENT", text);
    EXPECT_EQ(directory.load_current().status().code(), absl::StatusCode::kDataLoss) << text;
  }
  EXPECT_TRUE(directory.activate(version).ok());
  EXPECT_TRUE(directory.load_current().ok());
}

TEST(ModelsDirectory, IgnoresLinksAndFoldersWithOtherNames) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  const std::string version = published(directory);
  fs::create_directory(scratch.path() + "/backup");
  fs::create_directory(scratch.path() + "/20260231T000000Z-deadbeef");
  fs::create_directory_symlink(scratch.path() + "/" + version, scratch.path() + "/20990101T000000Z-deadbeef");
  EXPECT_THAT(directory.versions(), ElementsAre(version));
}

TEST(ModelsDirectory, RemovesWhatADeadWriterLeft) {
  const TestFolder scratch;
  const std::string left = scratch.path() + "/20260101T120000Z-00000000.tmp-17-0a1b2c3d";
  fs::create_directory(left);
  overwrite(left + "/profiles.bin", "half");
  overwrite(left + ".lock", "");
  overwrite(scratch.path() + "/CURRENT.tmp-17-0a1b2c3d", "half");
  fs::create_directory(scratch.path() + "/notes.tmp-mine");
  opened(scratch.path());
  EXPECT_THAT(temporary_names(scratch.path()), ElementsAre("notes.tmp-mine"));
}

TEST(ModelsDirectory, LeavesALiveWriterAlone) {
  const TestFolder scratch;
  ModelsEnvironment environment = at(kNoon);
  int openings = 0;
  environment.before_step = [&](std::string_view step) {
    if (step != "profiles") return;
    ++openings;
    opened(scratch.path());  // somebody else starts in the middle of the write
    EXPECT_EQ(temporary_names(scratch.path()).size(), 2u);
  };
  ModelsDirectory directory = opened(scratch.path(), environment);
  const std::string version = published(directory);
  EXPECT_EQ(openings, 1);
  EXPECT_TRUE(directory.load(version).ok());
  EXPECT_THAT(temporary_names(scratch.path()), IsEmpty());
}

TEST(ModelsDirectory, LooksWithoutChangingAnything) {
  const TestFolder scratch;
  EXPECT_EQ(ModelsDirectory::open_existing(scratch.path() + "/absent").status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(scratch.path() + "/absent"));
  overwrite(scratch.path() + "/CURRENT.tmp-17-0a1b2c3d", "half");
  EXPECT_TRUE(ModelsDirectory::open_existing(scratch.path()).ok());
  EXPECT_EQ(temporary_names(scratch.path()).size(), 1u);
}

TEST(ModelsDirectory, SaysWhyItCannotBeMade) {
  const TestFolder scratch;
  overwrite(scratch.path() + "/file", "");
  const auto directory = ModelsDirectory::open(scratch.path() + "/file");
  EXPECT_EQ(directory.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(directory.status().message()), HasSubstr("/file"));
}

TEST(ModelsDirectory, LeavesNothingBehindWhenAFileCannotGrow) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  const std::string version = published(directory);
  const int ended = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {2000, 2000};  // the manifest is longer, the sections are not
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto failed = directory.publish(tiny_artifact(), true);
    const bool as_promised = failed.status().code() == absl::StatusCode::kResourceExhausted &&
                             std::string(failed.status().message()).find("manifest.json") != std::string::npos;
    ::_exit(as_promised ? 17 : 1);
  });
  ASSERT_TRUE(WIFEXITED(ended));
  EXPECT_EQ(WEXITSTATUS(ended), 17);
  EXPECT_THAT(temporary_names(scratch.path()), IsEmpty());
  EXPECT_THAT(directory.versions(), ElementsAre(version));
  EXPECT_EQ(directory.current().value(), version);
}

TEST(ModelsDirectory, TakesAVersionBackThatCannotBecomeCurrent) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  const std::string version = published(directory);
  const int ended = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    ModelsEnvironment environment = at(kNoon);
    environment.before_step = [](std::string_view step) {
      const rlimit limit = {5, 5};  // shorter than a version's name
      if (step == "write CURRENT") ::setrlimit(RLIMIT_FSIZE, &limit);
    };
    ModelsDirectory failing = opened(scratch.path(), environment);
    const auto failed = failing.publish(tiny_artifact(), true);
    ::_exit(failed.status().code() == absl::StatusCode::kResourceExhausted ? 17 : 1);
  });
  ASSERT_TRUE(WIFEXITED(ended));
  EXPECT_EQ(WEXITSTATUS(ended), 17);
  EXPECT_THAT(temporary_names(scratch.path()), IsEmpty());
  EXPECT_THAT(directory.versions(), ElementsAre(version));
  EXPECT_EQ(directory.current().value(), version);
}

// Lets a child do `work` and kills it before step `n`. Returns false when it got to the end without reaching that step.
bool kill_before_step(const std::string& path, int n, const std::function<bool(ModelsDirectory&)>& work) {
  const int ended = in_child([&] {
    ModelsEnvironment environment = at(kNoon);
    int steps = 0;
    environment.before_step = [&](std::string_view) {
      if (steps++ == n) ::kill(::getpid(), SIGKILL);
    };
    auto directory = ModelsDirectory::open(path, environment);
    if (!directory.ok() || !work(*directory)) ::_exit(1);
  });
  if (WIFSIGNALED(ended)) {
    EXPECT_EQ(WTERMSIG(ended), SIGKILL);
    return true;
  }
  EXPECT_EQ(WEXITSTATUS(ended), 0);
  return false;
}

TEST(ModelsDirectory, IsWholeAfterAKillAtEveryStep) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  const std::string first = published(directory);
  int kills = 0, appeared = 0;
  while (kill_before_step(scratch.path(), kills, [](ModelsDirectory& d) { return d.publish(tiny_artifact(), true).ok(); })) {
    SCOPED_TRACE("killed before step " + std::to_string(kills));
    ++kills;
    ModelsDirectory reopened = opened(scratch.path(), at(kNoon));
    EXPECT_THAT(temporary_names(scratch.path()), IsEmpty());
    const auto loaded = reopened.load_current();
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    for (const std::string& version : reopened.versions()) EXPECT_TRUE(reopened.load(version).ok()) << version;
    if (reopened.versions().back() != first) ++appeared;
    const std::string next = published(reopened);
    EXPECT_EQ(reopened.current().value(), next);
    for (const std::string& version : reopened.versions())
      if (version != first) fs::remove_all(scratch.path() + "/" + version);
    ASSERT_TRUE(reopened.activate(first).ok());
  }
  EXPECT_GE(kills, 30);    // one step per section, and the renames around them
  EXPECT_GE(appeared, 3);  // the kills after the version had its name
  EXPECT_LT(appeared, kills);
}

Artifact without_ann() {
  Artifact artifact = tiny_artifact();
  empty_customer_rows(std::vector<CustomerIndex>{artifact.customer_ids.find("ann")}, artifact);
  return artifact;
}

TEST(ModelsDirectory, ReplacesAVersionInItsPlaceInTheOrder) {
  const TestFolder scratch;
  const std::string first = published(*std::make_unique<ModelsDirectory>(opened(scratch.path(), at(kNoon))));
  ModelsDirectory directory = opened(scratch.path(), at(kNoon + kSecond));
  const std::string second = published(directory);
  const auto old = directory.load(first).value();
  const auto replaced = directory.replace(first, without_ann());
  ASSERT_TRUE(replaced.ok()) << replaced.status();
  EXPECT_NE(*replaced, first);
  EXPECT_EQ(replaced->substr(0, 16), first.substr(0, 16));
  EXPECT_THAT(directory.versions(), ElementsAre(*replaced, second));
  EXPECT_EQ(directory.current().value(), second);
  EXPECT_EQ(directory.load(*replaced).value()->customer_ids.find("ann"), kNone);
  EXPECT_EQ(directory.load(*replaced).value()->parent, old->parent);
  EXPECT_NE(old->customer_ids.find("ann"), kNone) << "who has it open goes on";
  EXPECT_EQ(directory.roll_back().value(), *replaced);
  const auto current = directory.replace(*replaced, without_ann());  // other random ids: another version
  ASSERT_TRUE(current.ok()) << current.status();
  EXPECT_EQ(directory.current().value(), *current);
  EXPECT_EQ(directory.replace("20200101T000000Z-00000000", without_ann()).status().code(), absl::StatusCode::kNotFound);
}

TEST(ModelsDirectory, FindsWhatStandsForAVersionThatWasReplaced) {
  const TestFolder scratch;
  ModelsDirectory directory = opened(scratch.path(), at(kNoon));
  const std::string first = published(directory), second = published(directory);
  EXPECT_EQ(directory.standing_for(first).value(), first);
  const auto replace = [&](const std::string& version) {
    Artifact emptied = *directory.load(version).value();
    empty_customer_rows(std::vector<CustomerIndex>{0}, emptied);
    return directory.replace(version, std::move(emptied)).value();
  };
  const std::string once = replace(first), twice = replace(once);
  for (const std::string& version : {first, once, twice}) EXPECT_EQ(directory.standing_for(version).value(), twice);
  const auto artifact = directory.load(twice).value();
  ASSERT_EQ(artifact->replaces.size(), 2u);
  EXPECT_EQ(artifact->replaces[0].version, first);
  EXPECT_EQ(artifact->replaces[1].version, once);
  EXPECT_EQ(artifact->replaces[1].time, kNoon);
  EXPECT_TRUE(artifact->stands_for(first));
  EXPECT_FALSE(artifact->stands_for(second));
  EXPECT_EQ(directory.standing_for(second).value(), second);
  const std::string never = first.substr(0, first.find('-')) + "-00000000";  // of the same time
  EXPECT_EQ(directory.standing_for(never).status().code(), absl::StatusCode::kNotFound);
}

TEST(ModelsDirectory, IsWholeAfterAKillAtEveryStepOfReplacing) {
  int kills = 0, gone = 0;
  for (bool killed = true; killed; ++kills) {
    SCOPED_TRACE("killed before step " + std::to_string(kills));
    const TestFolder scratch;
    std::string first;
    {
      ModelsDirectory directory = opened(scratch.path(), at(kNoon));
      first = published(directory);
    }
    killed = kill_before_step(scratch.path(), kills, [&](ModelsDirectory& d) { return d.replace(first, without_ann()).ok(); });
    ModelsDirectory reopened = opened(scratch.path(), at(kNoon));
    EXPECT_THAT(temporary_names(scratch.path()), IsEmpty());
    const auto loaded = reopened.load_current();
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    for (const std::string& version : reopened.versions()) EXPECT_TRUE(reopened.load(version).ok()) << version;
    gone += reopened.versions().size() == 1 && reopened.versions()[0] != first ? 1 : 0;
  }
  EXPECT_GE(kills, 30);
  EXPECT_GE(gone, 2);  // the last kill, and none
  EXPECT_LT(gone, kills);
}

// The control of the test of publishing: without the temporary folder a kill does leave half a version.
TEST(ModelsDirectory, WouldNotBeWholeIfItWroteInPlace) {
  const TestFolder scratch;
  const std::string version = "20260101T120000Z-0123abcd";
  const std::string folder = scratch.folder(version);
  in_child([&] {
    (void)write_artifact(tiny_artifact(), folder, [](std::string_view step) {
      if (step == "profiles") ::kill(::getpid(), SIGKILL);
    });
  });
  overwrite(scratch.path() + "/CURRENT", version + "\n");
  EXPECT_FALSE(opened(scratch.path()).load_current().ok());
}

TEST(ModelsDirectory, TakesSeveralPublishersAtOnce) {
  const TestFolder scratch;
  constexpr int kPublishers = 4, kEach = 5;
  std::vector<pid_t> children;
  for (int p = 0; p < kPublishers; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      bool all = true;
      for (int i = 0; i < kEach; ++i) {
        auto directory = ModelsDirectory::open(scratch.path(), at(kNoon));
        all = all && directory.ok() && directory->publish(tiny_artifact(), true).ok();
      }
      ::_exit(all ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const ModelsDirectory directory = opened(scratch.path());
  const std::vector<std::string> versions = directory.versions();
  ASSERT_EQ(versions.size(), size_t{kPublishers} * kEach);
  for (size_t i = 0; i < versions.size(); ++i)  // one second after another: nobody took another's name
    EXPECT_EQ(versions[i].substr(0, 16), next_version_name(kNoon + static_cast<int64_t>(i) * kSecond, "", "").value().substr(0, 16));
  EXPECT_EQ(directory.current().value(), versions.back());
  EXPECT_TRUE(directory.load_current().ok());
  EXPECT_THAT(temporary_names(scratch.path()), IsEmpty());
}

TEST(VersionName, AcceptsOnlyTimesThatExist) {
  EXPECT_TRUE(is_version_name("20240229T235959Z-0123abcd"));
  for (const char* name : {"20230229T235959Z-0123abcd", "20240229T245959Z-0123abcd", "20241329T235959Z-0123abcd",
                           "20240229T235959Z-0123ABCD", "20240229T235959Z-0123abc", "20240229T235959Z-0123abcde",
                           "20240229T235960Z-0123abcd", "", "CURRENT", "19690101T000000Z-0123abcd", "20240229t235959Z-0123abcd"})
    EXPECT_FALSE(is_version_name(name)) << name;
}

TEST(VersionName, EndsWithTheYear9999) {
  EXPECT_EQ(next_version_name(0, "99991231T235959Z-00000000", "0123abcd").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(next_version_name(0, "99991231T235958Z-00000000", "0123abcd").value(), "99991231T235959Z-0123abcd");
}

}  // namespace
}  // namespace bouquet
