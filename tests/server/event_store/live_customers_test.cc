// Who has something new for a model, by the store's events from before and after one begins to follow.
#include "server/live_customers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/event_store/small_store.h"

namespace bouquet::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LiveCustomersTest : public ::testing::Test {
 protected:
  LiveCustomersTest() {
    store_.options.listener = [this](const DurableGroup& group) { feed_.tell(group); };
    store_.reopen();
  }
  std::shared_ptr<LiveCustomers> follow(const std::string& version, const KnownPart& known, const std::vector<std::string>& rows = {}) {
    IdMap customers;
    for (const std::string& id : rows) customers.add(id);
    auto live = feed_.follow(*store_.store, version, known, std::move(customers).freeze());
    EXPECT_TRUE(live.ok()) << live.status();
    return live.ok() ? *live : nullptr;
  }
  static std::vector<std::string> events(const LiveCustomers& live, const std::string& customer) {
    std::vector<std::string> out;
    std::vector<KnownAttributes> known;
    const auto take = [&](std::string_view item, std::string_view type, int64_t time, float value) {
      out.push_back(std::string(item) + " " + std::string(type) + " " + std::to_string(time / kSecond) + " " +
                    std::to_string(static_cast<int>(value)));
    };
    const absl::Status read = live.read(customer, take, known);
    EXPECT_TRUE(read.ok()) << read;
    for (const KnownAttributes& one : known)
      for (const auto& [name, value] : one.live) out.push_back(name + " = " + value.text());
    return out;
  }
  // The model's rows, as both ways of asking have them.
  static std::vector<CustomerIndex> rows(const LiveCustomers& live, const std::string& customer) {
    std::vector<CustomerIndex> rows, read;
    live.rows_of(customer, rows);
    std::vector<KnownAttributes> known;
    EXPECT_TRUE(live.read(
                        customer, [](auto...) {}, known)
                    .ok());
    for (const KnownAttributes& one : known)
      if (one.row != kNone) read.push_back(one.row);
    EXPECT_EQ(read, rows);
    return rows;
  }

  LiveFeed feed_;
  SmallStore store_;
};

TEST_F(LiveCustomersTest, KnowsWhatCameBeforeAndAfterItBeganToFollow) {
  store_.append({{.customer = "ann", .item = "tea", .time = 100 * kSecond}, {.customer = "bob", .item = "tea", .time = 50 * kSecond}});
  const auto live = follow("v1", {.sequence = 0, .time = 60 * kSecond});
  EXPECT_EQ(live->version_of("ann"), 1);
  EXPECT_EQ(live->version_of("bob"), 0) << "the model knows everything that happened by then";
  EXPECT_EQ(live->version_of("eve"), 0);
  store_.append({{.customer = "bob", .item = "jam", .time = 61 * kSecond}, {.customer = "eve", .item = "jam", .time = 60 * kSecond}});
  EXPECT_EQ(live->version_of("bob"), 3);
  EXPECT_EQ(live->version_of("eve"), 0);
  EXPECT_EQ(live->newest_version(), 4);
  EXPECT_EQ(live->count(), 2);
  EXPECT_THAT(events(*live, "ann"), ElementsAre("tea purchase 100 1"));
  EXPECT_THAT(events(*live, "bob"), ElementsAre("jam purchase 61 1"));
  EXPECT_THAT(events(*live, "eve"), IsEmpty());
  EXPECT_THAT(events(*live, "nobody"), IsEmpty());
}

TEST_F(LiveCustomersTest, AModelOfTheStoreKnowsWhatHadArrivedAndNoLateComers) {
  store_.append({{.customer = "ann", .item = "tea", .time = 100 * kSecond}});
  store_.append({{.customer = "ann", .item = "jam", .time = 40 * kSecond}});
  const auto live = follow("v1", {.sequence = 1, .time = 100 * kSecond});
  EXPECT_THAT(events(*live, "ann"), ElementsAre("jam purchase 40 1"));
  EXPECT_EQ(live->version_of("ann"), 2);
}

TEST_F(LiveCustomersTest, ReadsInTheOrderOfWhatHappened) {
  const auto live = follow("v1", {});
  store_.append({{.customer = "ann", .item = "b", .time = 3 * kSecond}});
  store_.append({{.customer = "ann", .item = "z", .time = 2 * kSecond, .value = 4}, {.customer = "ann", .item = "a", .time = 3 * kSecond}});
  EXPECT_THAT(events(*live, "ann"), ElementsAre("z purchase 2 4", "a purchase 3 1", "b purchase 3 1"));
}

TEST_F(LiveCustomersTest, AttributesAreNewsToo) {
  store_.set_attributes("ann", {{"country", "DE"}});
  const auto live = follow("v1", {});
  EXPECT_EQ(live->version_of("ann"), 1);
  store_.set_attributes("bob", {{"country", "FR"}, {"tier", "gold"}});
  EXPECT_EQ(live->version_of("bob"), 2);
  EXPECT_THAT(events(*live, "ann"), ElementsAre("country = DE"));
  EXPECT_THAT(events(*live, "bob"), testing::UnorderedElementsAre("country = FR", "tier = gold"));
  EXPECT_EQ(follow("v2", {.sequence = 1, .time = 0})->version_of("ann"), 1);
}

TEST_F(LiveCustomersTest, AttributesThatAModelWasTrainedWithAreNone) {
  store_.set_attributes("ann", {{"country", "DE"}});
  store_.set_attributes("visitor", {{"country", "DE"}});
  store_.set_attributes("eve", {{"country", "DE"}});
  store_.merge("visitor", "ann");
  const KnownPart known{.sequence = 4, .time = 0, .attributes = true};
  const auto live = follow("v1", known, {"ann", "bob"});
  EXPECT_EQ(live->version_of("ann"), 0);
  EXPECT_EQ(live->version_of("visitor"), 0);
  EXPECT_EQ(live->version_of("eve"), 3) << "of whom the model has no row";
  store_.set_attributes("visitor", {{"tier", "gold"}});
  for (const auto& model : {live, follow("v2", known, {"ann", "bob"})}) EXPECT_EQ(model->version_of("ann"), 5);
  store_.unmerge("visitor");
  EXPECT_EQ(follow("v3", known, {"ann", "bob"})->version_of("ann"), 6);
  EXPECT_EQ(follow("v4", {.sequence = 4, .time = 0}, {"ann", "bob"})->version_of("eve"), 3);
}

TEST_F(LiveCustomersTest, IsSharedWhileSomebodyFollowsForTheSameModel) {
  auto first = follow("v1", {});
  EXPECT_EQ(follow("v1", {}), first);
  EXPECT_NE(follow("v2", {}), first);
  first.reset();
  store_.append({{.customer = "ann", .item = "tea", .time = kSecond}});
  EXPECT_EQ(follow("v1", {})->version_of("ann"), 1);
}

// Of a model of files, which knows everything up to second 60.
TEST_F(LiveCustomersTest, WhoIsErasedHasNoRowAndNoNewsAndStartsAnewWhenTheyComeBack) {
  const std::vector<std::string> rows = {"ann", "bob"};
  store_.append({{.customer = "ann", .item = "tea", .time = 100 * kSecond}, {.customer = "bob", .item = "tea", .time = 100 * kSecond}});
  const KnownPart known{.sequence = 0, .time = store_.now + kDay};
  const auto live = follow("v1", {.sequence = 0, .time = 60 * kSecond}, rows);
  const auto later = follow("v2", known, rows);
  EXPECT_EQ(live->version_of("ann"), 1);
  EXPECT_FALSE(live->is_erased(CustomerIndex{0}));
  store_.erase("ann");
  for (const auto& model : {live, later, follow("v3", known, rows)}) {
    EXPECT_TRUE(model->is_erased(CustomerIndex{0}));
    EXPECT_FALSE(model->is_erased(CustomerIndex{1}));
    EXPECT_EQ(model->erased_count(), 1);
    EXPECT_EQ(model->version_of("ann"), 0);
    uint64_t found = 3;
    model->take_out_erased({&found, 1});
    EXPECT_EQ(found, 2u);
  }
  EXPECT_THAT(events(*live, "ann"), IsEmpty());
  EXPECT_EQ(live->version_of("bob"), 2);
  // What is before the model's newest event counts all the same: the model has nothing of them.
  const int64_t back = store_.now + 10;
  store_.append({{.customer = "ann", .item = "jam", .time = back}, {.customer = "bob", .item = "jam", .time = back}});
  for (const auto& model : {later, follow("v4", known, rows)}) {
    EXPECT_EQ(model->version_of("ann"), 4);
    EXPECT_EQ(model->version_of("bob"), 0);
    EXPECT_THAT(events(*model, "ann"), ElementsAre("jam purchase 1700000000 1"));
    EXPECT_TRUE(model->is_erased(CustomerIndex{0}));
  }
}

TEST_F(LiveCustomersTest, AModelThatWasTrainedWithTheStoreAfterTheErasureHasARowOfTheNextLife) {
  store_.append({{.customer = "ann", .item = "tea"}});
  store_.erase("ann");
  EXPECT_TRUE(follow("before", {.sequence = 1, .time = 0}, {"ann"})->is_erased(CustomerIndex{0}));
  EXPECT_FALSE(follow("after", {.sequence = 2, .time = 0}, {"ann"})->is_erased(CustomerIndex{0}));
}

// Of a model of files, which knows everything up to second 60.
TEST_F(LiveCustomersTest, WhoIsMergedHasTheNewsAndTheRowsOfAllIds) {
  const std::vector<std::string> known = {"ann", "visitor"};
  store_.append({{.customer = "visitor", .item = "tea", .time = 100 * kSecond},
                 {.customer = "ann", .item = "rye", .time = 100 * kSecond},
                 {.customer = "visitor", .item = "oil", .time = 90 * kSecond},
                 {.customer = "visitor", .item = "jam", .time = 50 * kSecond}});
  store_.set_attributes("visitor", {{"city", "Bonn"}});
  const auto live = follow("v1", {.sequence = 0, .time = 60 * kSecond}, known);
  EXPECT_EQ(live->version_of("ann"), 2);
  EXPECT_EQ(live->version_of("visitor"), 5);
  store_.merge("visitor", "ann");
  store_.merge("nobody", "visitor");
  const std::vector<std::string> all = {"oil purchase 90 1", "rye purchase 100 1", "tea purchase 100 1", "city = Bonn"};
  for (const auto& model : {live, follow("v2", {.sequence = 0, .time = 60 * kSecond}, known)})
    for (const char* id : {"ann", "visitor", "nobody"}) {
      EXPECT_EQ(model->version_of(id), 7) << id;
      EXPECT_EQ(events(*model, id), all) << id;
      EXPECT_THAT(rows(*model, id), ElementsAre(0, 1)) << id;
    }
  store_.append({{.customer = "nobody", .item = "nut", .time = 110 * kSecond}});
  EXPECT_EQ(live->version_of("ann"), 8);
  store_.unmerge("visitor");
  for (const auto& model : {live, follow("v3", {.sequence = 0, .time = 60 * kSecond}, known)}) {
    EXPECT_EQ(model->version_of("ann"), 9) << "higher than any that was merged";
    EXPECT_EQ(model->version_of("visitor"), 9);
    EXPECT_EQ(model->version_of("nobody"), 9);
    EXPECT_THAT(events(*model, "ann"), ElementsAre("rye purchase 100 1"));
    EXPECT_THAT(events(*model, "nobody"), ElementsAre("oil purchase 90 1", "tea purchase 100 1", "nut purchase 110 1", "city = Bonn"));
    EXPECT_THAT(rows(*model, "ann"), ElementsAre(0));
    EXPECT_THAT(rows(*model, "visitor"), ElementsAre(1));
    EXPECT_FALSE(model->is_erased(CustomerIndex{0})) << "its rows are each of one id";
  }
}

TEST_F(LiveCustomersTest, AModelOfTheStoreHasOneRowOfAPersonUntilSomebodyIsTakenOut) {
  store_.append({{.customer = "visitor", .item = "tea", .time = 100 * kSecond}, {.customer = "ann", .item = "rye", .time = 100 * kSecond}});
  store_.merge("visitor", "ann");
  const KnownPart known{.sequence = 3, .time = 0};
  const auto live = follow("v1", known, {"ann", "bob"});
  EXPECT_EQ(live->version_of("visitor"), 0);
  EXPECT_THAT(rows(*live, "visitor"), ElementsAre(0)) << "the root's";
  EXPECT_THAT(events(*live, "visitor"), IsEmpty());
  store_.append({{.customer = "visitor", .item = "oil", .time = 90 * kSecond}});
  EXPECT_EQ(live->version_of("ann"), 4);
  EXPECT_THAT(events(*live, "ann"), ElementsAre("oil purchase 90 1"));
  EXPECT_THAT(rows(*live, "ann"), ElementsAre(0));
  store_.unmerge("visitor");
  const auto after = follow("v2", known, {"ann", "bob"});
  for (const auto& model : {live, after}) {
    EXPECT_TRUE(model->is_erased(CustomerIndex{0})) << "it is of both";
    EXPECT_FALSE(model->is_erased(CustomerIndex{1}));
    EXPECT_EQ(model->version_of("ann"), 5);
    EXPECT_EQ(model->version_of("visitor"), 5);
    EXPECT_THAT(rows(*model, "ann"), IsEmpty());
    EXPECT_THAT(rows(*model, "visitor"), IsEmpty());
    EXPECT_THAT(events(*model, "ann"), ElementsAre("rye purchase 100 1"));
    EXPECT_THAT(events(*model, "visitor"), ElementsAre("oil purchase 90 1", "tea purchase 100 1"));
  }
  EXPECT_THAT(rows(*follow("v3", {.sequence = 5, .time = 0}, {"ann", "visitor"}), "visitor"), ElementsAre(1)) << "trained since";
  // Merged again, the row would count twice what the store has.
  store_.merge("visitor", "ann");
  for (const auto& model : {live, after, follow("v4", known, {"ann", "bob"})}) {
    EXPECT_THAT(rows(*model, "ann"), IsEmpty());
    EXPECT_THAT(events(*model, "ann"), ElementsAre("oil purchase 90 1", "rye purchase 100 1", "tea purchase 100 1"));
    EXPECT_EQ(model->version_of("ann"), 6);
  }
}

// What a row has of somebody who was taken out and then erased must not count, nor what it has of the other one be lost.
TEST_F(LiveCustomersTest, ARowThatWasOfTwoStaysOutWhenOneOfThemIsErased) {
  for (const std::string gone : {"visitor", "ann"}) {
    const std::string other = gone == "ann" ? "visitor" : "ann";
    store_.close();
    std::filesystem::remove_all(store_.folder());
    store_.open();
    store_.append(
        {{.customer = "visitor", .item = "tea", .time = 100 * kSecond}, {.customer = "ann", .item = "rye", .time = 90 * kSecond}});
    store_.merge("visitor", "ann");
    const KnownPart known{.sequence = 3, .time = 0};
    const auto live = follow("before " + gone, known, {"ann"});
    store_.unmerge("visitor");
    store_.erase(gone);
    // As published after the erasure: the row is emptied, and its id stands for nobody.
    for (const auto& model : {live, follow("after " + gone, known, {"ann"}), follow("emptied " + gone, known, {})}) {
      EXPECT_THAT(rows(*model, "ann"), IsEmpty());
      EXPECT_THAT(rows(*model, "visitor"), IsEmpty());
      EXPECT_THAT(events(*model, gone), IsEmpty());
      EXPECT_THAT(events(*model, other), ElementsAre(other == "ann" ? "rye purchase 90 1" : "tea purchase 100 1"));
      EXPECT_EQ(model->version_of(other), 4);
      EXPECT_EQ(model->version_of(gone), 0);
    }
  }
}

TEST_F(LiveCustomersTest, WhoIsErasedTakesAllIdsOfThePersonAlong) {
  store_.append({{.customer = "visitor", .item = "tea", .time = 100 * kSecond}});
  store_.merge("visitor", "ann");
  const KnownPart of_files{.sequence = 0, .time = 60 * kSecond};
  const auto live = follow("v1", of_files, {"ann", "visitor"});
  store_.erase("ann");
  for (const auto& model : {live, follow("v2", of_files, {"ann", "visitor"})})
    for (const char* id : {"ann", "visitor"}) {
      EXPECT_EQ(model->version_of(id), 0);
      EXPECT_THAT(rows(*model, id), IsEmpty());
    }
}

TEST_F(LiveCustomersTest, SolvedProfilesAreForgottenToo) {
  const auto live = follow("v1", {});
  const auto profiles = std::make_shared<FreshProfiles>(1 << 20);
  live->also_forget_in(profiles);
  for (const char* id : {"ann", "bob"})
    profiles->put(id, std::make_shared<FreshProfile>(
                          FreshProfile{.version = 7, .profile = {}, .items = {}, .consumed = {}, .repurchase = {}, .attributes_used = 0}));
  const int64_t both = profiles->bytes();
  store_.erase("ann");
  EXPECT_EQ(profiles->find("ann", 7), nullptr);
  EXPECT_EQ(profiles->bytes(), both / 2);
  EXPECT_NE(profiles->find("bob", 7), nullptr);
}

}  // namespace
}  // namespace bouquet::server
