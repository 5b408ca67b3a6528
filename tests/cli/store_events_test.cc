// What a training reads of a store whose customers were merged is what it would read had they been one from the start; and what it learns
// of attributes that were said to the server is what a file would have taught it, and what answers make of them.
#include "cli/store_events.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cpu_fallback/cpu_backend.h"
#include "engine/artifact_files.h"
#include "engine/models_directory.h"
#include "server/live_customers.h"
#include "server/request_attributes.h"
#include "tests/server/event_store/small_store.h"
#include "training/event_reader.h"
#include "training/train_command.h"
#include "training/training_run.h"

namespace bouquet::cli {
namespace {

using server::kSecond;
using server::Outcome;
using server::SmallStore;
using testing::ElementsAre;
using testing::IsEmpty;

training::Dataset read(const SmallStore& store) {
  training::ReadOptions options;
  auto source = open_store_events(store.folder());
  EXPECT_TRUE(source.ok()) << source.status();
  options.store = *std::move(source);
  auto data = training::read_dataset(options);
  EXPECT_TRUE(data.ok()) << data.status();
  return *std::move(data);
}

std::vector<std::string> told(const training::Dataset& data) {
  std::vector<std::string> out;
  for (size_t e = 0; e < data.events.customers.size(); ++e)
    out.push_back(std::string(data.customers.id(data.events.customers[e])) + " " + std::string(data.items.id(data.events.items[e])) + " " +
                  std::to_string(data.events.times[e] / kSecond) + " " + std::to_string(static_cast<int>(data.events.values[e])));
  return out;
}

// The same events, all of a person's under one id if `merged`.
void fill(SmallStore& store, bool merged) {
  const auto id = [&](const std::string& own) { return merged && own != "bob" ? std::string("ann") : own; };
  for (int i = 0; i < 40; ++i)
    for (const std::string own : {"visitor", "ann", "bob", "tablet"})
      store.append_one({.customer = id(own),
                        .item = "item" + std::to_string((i * 7 + static_cast<int>(own.size())) % 11),
                        .time = (100 + i * 13 % 17) * kSecond,
                        .value = static_cast<float>(1 + i % 3)});
}

TEST(StoreEvents, OfMergedCustomersAreThoseOfOne) {
  SmallStore apart, together;
  fill(apart, false);
  fill(together, true);
  EXPECT_EQ(read(apart).customers.size(), 4);
  EXPECT_NE(told(read(apart)), told(read(together)));
  apart.merge("tablet", "visitor");
  apart.merge("visitor", "ann");
  auto got = told(read(apart)), expected = told(read(together));
  std::ranges::sort(got);  // customers are numbered as they are first met
  std::ranges::sort(expected);
  EXPECT_EQ(got, expected);
  const training::Dataset data = read(apart);
  EXPECT_EQ(data.customers.size(), 2);
  for (size_t e = 1; e < data.events.times.size(); ++e) {
    if (data.events.customers[e] == data.events.customers[e - 1]) {
      EXPECT_LE(data.events.times[e - 1], data.events.times[e]);
    }
  }
  EXPECT_EQ(data.store.sequence, 162u);
  apart.unmerge("visitor");
  EXPECT_EQ(read(apart).customers.size(), 3);
  const auto source = open_store_events(apart.folder());
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->root_of("tablet"), "visitor");
  EXPECT_THAT(*(*source)->taken_apart_since(162), ElementsAre("ann")) << "the row of whom a model that was trained then has both in";
  EXPECT_THAT(*(*source)->taken_apart_since(163), IsEmpty());
}

constexpr int kCustomers = 40;

std::string customer(int c) { return "customer" + std::to_string(c); }

// Whoever is young buys other things than whoever is old.
void fill_shop(SmallStore& store) {
  for (int i = 0; i < 10; ++i)
    for (int c = 0; c < kCustomers; ++c)
      store.append_one({.customer = customer(c),
                        .item = "item" + std::to_string((c % 2) * 10 + (i * 7 + c) % 10),
                        .time = (100 + i * kCustomers + c) * kSecond});
}

using Values = google::protobuf::Map<std::string, v1::AttributeValue>;

Values values_of(int c) {
  Values values;
  values["age"].set_number(c % 2 == 0 ? 20 + c : 60.5 + c);
  if (c % 3 != 0) values["member"].set_flag(c % 2 == 0);
  values["note"].set_text(c % 5 == 0 ? "of a kind" : "word" + std::to_string(c % 3) + " and more");
  for (int i = 0; i < c % 4; ++i) values["tags"].mutable_texts()->add_values("tag" + std::to_string(i));
  if (c % 7 == 0)
    values["tier"].Clear();
  else
    values["tier"].set_text(c % 2 == 0 ? "gold" : "tin");
  for (int i = 0; i < 3; ++i) values["vector"].mutable_vector()->add_values(static_cast<float>(c % (i + 3)) - .5f);
  return values;
}

std::string json_of(const v1::AttributeValue& value) {
  std::string list;
  switch (value.value_case()) {
    case v1::AttributeValue::kNumber: return std::to_string(value.number());
    case v1::AttributeValue::kFlag: return value.flag() ? "true" : "false";
    case v1::AttributeValue::kText: return "\"" + value.text() + "\"";
    case v1::AttributeValue::kTexts:
      for (const auto& text : value.texts().values()) list += (list.empty() ? "\"" : ",\"") + text + "\"";
      return "[" + list + "]";
    case v1::AttributeValue::kVector:
      for (const float x : value.vector().values()) list += (list.empty() ? "" : ",") + std::to_string(x);
      return "[" + list + "]";
    case v1::AttributeValue::VALUE_NOT_SET: break;
  }
  return "null";
}

// One line of a file with the same values, the columns in the order in which the store's come.
std::string line_of(int c, const Values& said) {
  std::string out = "{\"customer_id\":\"" + customer(c) + "\"";
  for (const char* name : {"age", "member", "note", "tags", "tier", "vector"}) {
    const auto value = said.find(name);
    out += ",\"" + std::string(name) + "\":" + (value == said.end() ? "null" : json_of(value->second));
  }
  return out + "}\n";
}

Artifact train(const SmallStore& store, const std::vector<std::string>& customer_files = {}) {
  training::ReadOptions options;
  options.attributes = true;
  options.customer_files = customer_files;
  auto source = open_store_events(store.folder());
  EXPECT_TRUE(source.ok()) << source.status();
  options.store = *std::move(source);
  auto data = training::read_dataset(options);
  EXPECT_TRUE(data.ok()) << data.status();
  training::TrainingRequest request;
  request.options.dimension = 8;
  request.options.attribute_warmup = 1;
  request.validation = *training::parse_validation("none");
  request.attributes = training::UseAttributes::kOn;
  request.epochs = 4;
  training::NoProgress progress;
  const auto backend = *cpu::make_cpu_backend(1);
  auto outcome = training::run_training(*data, request, *backend, progress);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return std::move(outcome->artifact);
}

// `bouquet train --store`, before the second opening of which, right before it publishes, `meanwhile` happens. The model.
Artifact trained_by_command(
    const SmallStore& store, const std::function<void()>& meanwhile = [] {}) {
  const server::TemporaryFolder models;
  int opened = 0, exit_code = 0;
  const training::EventSourceFactory stores = [&](const std::string& folder) {
    if (++opened == 2) meanwhile();
    return open_store_events(folder);
  };
  const BackendFactory backends = [](const BackendChoice&) { return cpu::make_cpu_backend(1); };
  CLI::App app;
  training::add_train_command(app, backends, stores, exit_code);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  app.parse("train --dimension 8 --epochs 4 --validation none --store " + store.folder() + " --models " + models.path());
  testing::internal::GetCapturedStdout();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(exit_code, 0) << said;
  EXPECT_EQ(opened, 2);
  return *ModelsDirectory::open_existing(models.path()).value().load_current().value();
}

TEST(TrainFromAStore, LeavesOutWhoWasErased) {
  SmallStore store;
  fill_shop(store);
  EXPECT_NE(trained_by_command(store).customer_ids.find(customer(3)), kNone);
  store.erase(customer(3));
  const Artifact artifact = trained_by_command(store);
  EXPECT_EQ(artifact.customer_ids.find(customer(3)), kNone);
  EXPECT_EQ(artifact.customer_ids.size(), kCustomers - 1);
  store.append_one({.customer = customer(3), .item = "item1", .time = store.now + kSecond});
  const Artifact later = trained_by_command(store);
  const CustomerIndex back = later.customer_ids.find(customer(3));
  ASSERT_NE(back, kNone);
  EXPECT_EQ(later.histories.offsets[back + 1] - later.histories.offsets[back], 1) << "of the next life alone";
}

TEST(TrainFromAStore, PublishesNoRowOfWhoIsErasedMeanwhile) {
  SmallStore store;
  fill_shop(store);
  const Artifact artifact = trained_by_command(store, [&] { store.erase(customer(3)); });
  EXPECT_EQ(artifact.customer_ids.find(customer(3)), kNone);
  ASSERT_EQ(artifact.customer_ids.size(), kCustomers) << "it had been read";
  int empty = 0;
  for (CustomerIndex row = 0; row < kCustomers; ++row) {
    const auto profile = artifact.model.profile_matrix().row(row);
    const bool zero = std::ranges::all_of(profile, [](float x) { return x == 0; });
    EXPECT_EQ(zero, artifact.histories.offsets[row] == artifact.histories.offsets[row + 1]) << row;
    empty += zero ? 1 : 0;
  }
  EXPECT_EQ(empty, 1);
}

// Every byte of it on disk, but for where it comes from and when it was made.
std::map<std::string, std::string> bytes_of(Artifact artifact) {
  artifact.recipe.sources.clear();
  artifact.recipe.store = {};
  artifact.created_at = 0;
  artifact.version = "v";
  const server::TemporaryFolder folder;
  EXPECT_TRUE(write_artifact(artifact, folder.path()).ok());
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    files[entry.path().filename().string()] = std::string(std::istreambuf_iterator<char>(file), {});
  }
  return files;
}

TEST(StoredAttributes, MakeTheModelThatAFileMakes) {
  SmallStore with, without;
  fill_shop(with);
  fill_shop(without);
  const std::string file = with.place.path() + "/customers.jsonl";
  std::ofstream lines(file);
  for (int c = 0; c < kCustomers; ++c) {
    if (c % 9 == 8) continue;
    with.set_values(customer(c), values_of(c));
    lines << line_of(c, values_of(c));
  }
  lines.close();
  const Artifact of_store = train(with), of_file = train(without, {file}), of_neither = train(without);
  ASSERT_EQ(of_store.customer_attributes.schema.attributes().size(), 6u);
  EXPECT_FALSE(of_store.model.customer_prior.map.empty());
  EXPECT_TRUE(bytes_of(of_store) == bytes_of(of_file));
  EXPECT_FALSE(bytes_of(of_store) == bytes_of(of_neither));
  EXPECT_THAT(of_store.recipe.sources, ElementsAre("store", "store/attributes"));
}

class TrainedAttributes : public testing::Test {
 protected:
  TrainedAttributes() {
    store_.options.listener = [this](const server::DurableGroup& group) { feed_.tell(group); };
    store_.reopen();
    fill_shop(store_);
  }
  void follow(Artifact artifact) {
    artifact_ = std::move(artifact);
    auto live = feed_.follow(*store_.store, "v" + std::to_string(++models_), server::known_part(artifact_, store_.database->identity()),
                             artifact_.customer_ids);
    ASSERT_TRUE(live.ok()) << live.status();
    live_ = *std::move(live);
  }
  // What an answer takes to be known of the customer, whether or not there is news.
  server::EncodedRow answered(const std::string& id) {
    std::vector<server::KnownAttributes> known;
    EXPECT_TRUE(live_
                    ->read(
                        id, [](auto...) {}, known)
                    .ok());
    server::RequestAttributes attributes(artifact_.customer_attributes);
    server::EncodedRow row;
    EXPECT_TRUE(attributes.encode(known, server::AttributeMap(), nullptr, row).ok());
    return row;
  }
  void expect_as_trained(const std::string& id, const std::string& root) {
    const server::EncodedRow row = answered(id);
    const AttributeRows rows = artifact_.customer_attributes.table.rows();
    const CustomerIndex at = artifact_.customer_ids.find(root);
    ASSERT_NE(at, kNone) << root;
    EXPECT_TRUE(std::ranges::equal(rows.dense_row(at), row.dense)) << id;
    EXPECT_TRUE(std::ranges::equal(rows.row_columns(at), row.columns)) << id;
    EXPECT_TRUE(std::ranges::equal(rows.row_values(at), row.values)) << id;
  }
  std::vector<std::string> columns(const server::EncodedRow& row) const {
    std::vector<std::string> out;
    for (const int32_t column : row.columns) out.push_back(artifact_.customer_attributes.schema.column_name(column));
    return out;
  }

  server::LiveFeed feed_;
  SmallStore store_;
  Artifact artifact_;
  std::shared_ptr<server::LiveCustomers> live_;
  int models_ = 0;
};

TEST_F(TrainedAttributes, AreInAnswersWhatTheyWereInTheTrainingAndNoNews) {
  const std::string file = store_.place.path() + "/customers.jsonl";
  std::ofstream lines(file);
  for (int c = 0; c < kCustomers; ++c) {
    if (c % 2 == 0) store_.set_values(customer(c), values_of(c));
    lines << line_of(c, values_of(c + 1));
  }
  lines.close();
  Values other;
  other["age"].set_text("no number");
  other["vector"].mutable_vector()->add_values(1);
  store_.set_values(customer(4), other);
  store_.merge(customer(2), customer(1));
  store_.merge(customer(3), customer(2));
  Values of_a_visitor;
  of_a_visitor["tier"].set_text("gold");
  store_.set_values("visitor", of_a_visitor);
  follow(train(store_, {file}));
  for (int c = 0; c < kCustomers; ++c) {
    EXPECT_EQ(live_->version_of(customer(c)), 0) << c;
    expect_as_trained(customer(c), c == 2 || c == 3 ? customer(1) : customer(c));
  }
  EXPECT_EQ(live_->version_of("visitor"), static_cast<int64_t>(store_.store->newest_sequence())) << "of whom the model has no row";

  // What is said later counts as it would have in the training, before what the row has of another id.
  Values said;
  said["tier"].set_text("tin");
  const Outcome late = store_.set_values(customer(1), said);
  EXPECT_EQ(live_->version_of(customer(3)), static_cast<int64_t>(late.sequence));
  const auto before = columns(answered(customer(3)));
  EXPECT_THAT(before, testing::Contains("tier = (rare)"));
  follow(train(store_, {file}));
  EXPECT_EQ(live_->version_of(customer(1)), 0);
  EXPECT_EQ(columns(answered(customer(1))), before);
  expect_as_trained(customer(3), customer(1));

  // Taken apart, the row is of both: the store alone has the word.
  store_.unmerge(customer(2));
  follow(Artifact(artifact_));
  EXPECT_GT(live_->version_of(customer(2)), 0);
  EXPECT_THAT(columns(answered(customer(1))), testing::IsSupersetOf({"age missing", "tier = (rare)"}));
  EXPECT_THAT(columns(answered(customer(2))), testing::Contains("tier = gold"));
}

// The control: a model that was not trained with them takes them for news.
TEST_F(TrainedAttributes, AreNewsToAModelThatWasNotTrainedWithThem) {
  for (int c = 0; c < kCustomers; ++c) store_.set_values(customer(c), values_of(c));
  Artifact artifact = train(store_);
  artifact.recipe.sources = {"store"};  // as an older program has written it
  follow(std::move(artifact));
  EXPECT_GT(live_->version_of(customer(1)), 0);
  expect_as_trained(customer(1), customer(1));
}

}  // namespace
}  // namespace bouquet::cli
