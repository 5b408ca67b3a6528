// R16: who was erased after a backup was taken is not in the store that is made of it.
#include "server/event_store/later_erasures.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/errors.h"
#include "server/event_store/erased_files.h"
#include "server/event_store/store_backup.h"
#include "server/event_store/store_check.h"
#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const LaterErasures kFromBackups{.store = {}, .from_backups_alone = true};

// A store of one folder, opened again as it is.
struct Reopened : SmallStore {
  explicit Reopened(const std::string& folder) {
    close();
    fs::remove_all(this->folder());
    fs::copy(folder, this->folder());
    fs::remove(this->folder() + "/LOCK");
    database_options.compress = false;
    open();
  }
};

class RestoredErasures : public ::testing::Test {
 protected:
  void SetUp() override {
    lost_.append({{.customer = "ann", .item = "tea", .event_id = "e1", .time = 5 * kSecond, .basket = "basket-of-ann"},
                  {.customer = "bob", .item = "tea", .time = 3 * kSecond},
                  {.customer = "ann", .item = "jam", .time = 2 * kSecond}});
    lost_.set_attributes("ann", {{"city", "Bonn"}});
    lost_.set_attributes("bob", {{"city", "Rome"}});
  }
  uint32_t back_up_now() {
    const auto backup = back_up(*lost_.database, backups_);
    EXPECT_TRUE(backup.ok()) << backup.status();
    return backup.ok() ? backup->number : 0;
  }
  absl::StatusOr<Restored> restore(const LaterErasures& erasures, uint32_t number = 0) {
    fs::remove_all(restored_);
    return restore_backup(backups_, number, restored_, erasures);
  }
  int64_t erased_again(const LaterErasures& erasures, uint32_t number = 0) {
    const auto restored = restore(erasures, number);
    EXPECT_TRUE(restored.ok()) << restored.status();
    return restored.ok() ? restored->erased_again : -1;
  }
  LaterErasures from_lost() const { return {.store = lost_.folder()}; }
  void expect_sound() {
    const auto check = check_store(restored_);
    ASSERT_TRUE(check.ok()) << check.status();
    EXPECT_THAT(check->problems, IsEmpty());
  }

  SmallStore lost_;
  const std::string backups_ = lost_.place.path() + "/backups", restored_ = lost_.place.path() + "/restored";
};

TEST_F(RestoredErasures, WhoWasErasedAfterTheBackupDoesNotComeBack) {
  back_up_now();
  lost_.erase("ann");
  EXPECT_EQ(erased_again(from_lost()), 1);
  expect_sound();
  Reopened restored(restored_);
  EXPECT_EQ(restored.customer("ann"), 0u);
  EXPECT_THAT(restored.told("bob"), ElementsAre("tea purchase 1 3000000"));
  EXPECT_EQ(restored.store->attributes_of(restored.customer("bob"))->values.at("city").text(), "Rome");
  EXPECT_EQ(restored.figures().events, 1u);
  EXPECT_EQ(restored.figures().customers, 1u);
}

TEST_F(RestoredErasures, NorDoesWhatCameWithTheirRequests) {
  lost_.merge("visitor", "ann");
  lost_.keep_answer("ann", 1, "of ann");
  lost_.keep_answer("visitor", 2, "of the visitor");
  lost_.keep_answer("bob", 3, "of bob");
  lost_.keep_answer("cold", 4, "of somebody the store has not met");
  back_up_now();
  lost_.now += 1;
  lost_.erase("ann");
  lost_.erase("cold");
  EXPECT_EQ(erased_again(from_lost()), 2);
  expect_sound();
  Reopened restored(restored_);
  for (const auto& [customer, number] : {std::pair("ann", 1), std::pair("visitor", 2), std::pair("cold", 4)})
    EXPECT_TRUE(absl::IsNotFound(restored.store->answer_of(customer, static_cast<uint64_t>(number)).status())) << customer;
  EXPECT_EQ(restored.store->answer_of("bob", 3)->inputs(), "of bob");
  EXPECT_EQ(restored.figures().answers, 1u);
}

// The control: what keeps them away is the newer set, and nothing else.
TEST_F(RestoredErasures, OfMergedCustomersAllGoAndWhoWasTakenOutBeforeStays) {
  lost_.append_one({.customer = "visitor", .item = "egg", .time = 4 * kSecond});
  lost_.append_one({.customer = "twin", .item = "oil", .time = 4 * kSecond});
  lost_.merge("visitor", "ann");
  lost_.merge("twin", "ann");
  back_up_now();
  lost_.unmerge("twin");
  lost_.erase("visitor");
  EXPECT_EQ(erased_again(from_lost()), 2);
  expect_sound();
  Reopened restored(restored_);
  EXPECT_EQ(restored.customer("ann"), 0u);
  EXPECT_EQ(restored.customer("visitor"), 0u);
  EXPECT_THAT(restored.store->merges().person_of("twin"), ElementsAre("twin"));
  EXPECT_THAT(restored.told("twin"), SizeIs(1));
}

TEST_F(RestoredErasures, TheyDoWithoutTheNewerSet) {
  back_up_now();
  lost_.erase("ann");
  EXPECT_EQ(erased_again(kFromBackups), 0);
  Reopened restored(restored_);
  EXPECT_THAT(restored.told("ann"), SizeIs(2));
  EXPECT_FALSE(restored.store->erasures().find("ann"));
}

TEST_F(RestoredErasures, TheRestoredStoreKnowsThemAsTheLostOneDid) {
  lost_.erase("eve");
  back_up_now();
  const Outcome erased = lost_.erase("ann");
  const int64_t erased_at = lost_.now;
  ASSERT_EQ(erased_again(from_lost()), 1);
  Reopened restored(restored_);
  EXPECT_EQ(restored.store->erasures().size(), 2);
  EXPECT_EQ(restored.store->erasures().find("ann")->time, erased_at);
  const auto receipt = restored.store->receipt_of(erased.sequence);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->events(), 2);
  EXPECT_EQ(receipt->files_gone_time(), 0);
  EXPECT_TRUE(restored.store->erasures().is_of(*receipt, "ann"));
  EXPECT_EQ(restored.append_one({.customer = "ann", .item = "oil", .time = erased_at}).status.code(),
            absl::StatusCode::kFailedPrecondition);
  // Receipts are known by their numbers: none is given again.
  EXPECT_EQ(restored.erase("bob").sequence, erased.sequence + 1);
  EXPECT_TRUE(restored.store->erasures().is_of(*restored.store->receipt_of(erased.sequence), "ann"));
}

TEST_F(RestoredErasures, OfSomebodyWhoCameBackTheLastErasureCounts) {
  lost_.erase("ann");
  lost_.now += kDay;
  lost_.append_one({.customer = "ann", .item = "oil"});
  const uint32_t between = back_up_now();
  EXPECT_EQ(erased_again(from_lost(), between), 0) << "her second life is nobody's business";
  EXPECT_THAT(Reopened(restored_).told("ann"), SizeIs(1));
  lost_.erase("ann");
  EXPECT_EQ(erased_again(from_lost(), between), 1);
  EXPECT_EQ(Reopened(restored_).customer("ann"), 0u);
}

TEST_F(RestoredErasures, AnOlderBackupIsGivenThoseOfTheNewest) {
  const uint32_t older = back_up_now();
  lost_.erase("ann");
  back_up_now();
  lost_.erase("bob");
  EXPECT_EQ(erased_again(kFromBackups, older), 1);
  expect_sound();
  EXPECT_EQ(Reopened(restored_).customer("ann"), 0u);
  EXPECT_NE(Reopened(restored_).customer("bob"), 0u);
  EXPECT_EQ(erased_again(from_lost(), older), 2);
  EXPECT_EQ(Reopened(restored_).figures().events, 0u);
  for (const auto& entry : fs::directory_iterator(lost_.place.path())) EXPECT_THAT(entry.path().string(), Not(HasSubstr("restoring")));
}

TEST_F(RestoredErasures, RestoringIsRefusedUnlessTheNewestSetIsNamedOrSaidToBeLost) {
  back_up_now();
  for (const LaterErasures& erasures : {LaterErasures{}, LaterErasures{.store = lost_.folder(), .from_backups_alone = true}}) {
    const auto restored = restore(erasures);
    EXPECT_EQ(restored.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(message_of(restored.status())), HasSubstr("--erasures-from"));
    EXPECT_FALSE(fs::exists(restored_));
  }
}

TEST_F(RestoredErasures, AnotherStoreOrAnOlderCopyIsRefused) {
  const uint32_t older = back_up_now();
  const std::string copy = lost_.place.path() + "/copy";
  fs::copy(lost_.folder(), copy);
  lost_.erase("ann");
  back_up_now();
  const SmallStore another;
  for (const auto& [store, why] : {std::pair<std::string, std::string>{another.folder(), "not the store that the backup was taken of"},
                                   {copy, "older copy"},
                                   {lost_.place.path() + "/nothing", "there is no store"}}) {
    const auto restored = restore({.store = store}, older);
    EXPECT_FALSE(restored.ok());
    EXPECT_THAT(std::string(message_of(restored.status())), HasSubstr(why));
    EXPECT_THAT(std::string(message_of(restored.status())), HasSubstr(store));
    EXPECT_FALSE(fs::exists(restored_));
  }
}

TEST_F(RestoredErasures, ManyMoreThanOneBatchOfWrites) {
  constexpr int kCustomers = 300, kEvents = 200;
  std::vector<SaidEvent> many;
  for (int c = 0; c < kCustomers; ++c)
    for (int e = 0; e < kEvents; ++e) many.push_back({.customer = "c" + std::to_string(c), .item = "tea"});
  lost_.append(many);
  back_up_now();
  for (int c = 0; c < kCustomers; c += 2) lost_.erase("c" + std::to_string(c));
  EXPECT_EQ(erased_again(from_lost()), kCustomers / 2);
  expect_sound();
  EXPECT_EQ(Reopened(restored_).figures().events, 3u + kCustomers / 2 * kEvents);
}

// Files below `folder` that hold `text`.
int files_with(const std::string& folder, const std::string& text) {
  int found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    if (bytes.str().find(text) != std::string::npos) ++found;
  }
  return found;
}

TEST_F(RestoredErasures, TheirBytesLeaveTheRestoredFilesToo) {
  SmallStore store;
  store.close();
  fs::remove_all(store.folder());
  store.database_options.compress = false;  // so that what is there is found
  store.open();
  store.append({{.customer = "canary", .item = "tea", .basket = "basket-of-canary"}, {.customer = "bob", .item = "tea"}});
  ASSERT_TRUE(back_up(*store.database, backups_).ok());
  store.erase("canary");
  ASSERT_TRUE(restore_backup(backups_, 0, restored_, {.store = store.folder()}).ok());
  EXPECT_GT(files_with(restored_, "canary"), 0) << "the erasure alone leaves bytes";
  Reopened restored(restored_);
  const auto files = ErasedFiles::start(*restored.database, {.gather = std::chrono::milliseconds(1)});
  ASSERT_TRUE(files.ok()) << files.status();
  for (int i = 0; i < 1000 && (*files)->pending() > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ((*files)->pending(), 0);
  EXPECT_EQ(files_with(restored.folder(), "canary"), 0);
  EXPECT_NE(restored.customer("bob"), 0u);
}

}  // namespace
}  // namespace bouquet::server
