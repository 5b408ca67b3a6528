#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "engine/artifact_files.h"
#include "tests/engine/tiny_artifact.h"

namespace bouquet {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

template <typename T>
void expect_same(const char* name, const SharedArray<T>& got, const SharedArray<T>& wanted) {
  EXPECT_THAT(std::vector<T>(got.begin(), got.end()), ElementsAreArray(wanted.begin(), wanted.end())) << name;
}

void expect_same_ids(const IdTable& got, const IdTable& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (int32_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(got.id(i), wanted.id(i));
    EXPECT_EQ(got.find(wanted.id(i)), i);
  }
}

void expect_same_columns(const CatalogColumns& got, const CatalogColumns& wanted) {
  ASSERT_EQ(got.columns.size(), wanted.columns.size());
  for (size_t c = 0; c < wanted.columns.size(); ++c) {
    EXPECT_EQ(got.columns[c].name, wanted.columns[c].name);
    EXPECT_EQ(got.columns[c].type, wanted.columns[c].type);
  }
  ASSERT_EQ(got.numbers.size(), wanted.numbers.size());
  for (int64_t i = 0; i < wanted.numbers.size(); ++i)  // missing numbers are NaN, which equals nothing
    EXPECT_EQ(std::bit_cast<uint64_t>(got.numbers[i]), std::bit_cast<uint64_t>(wanted.numbers[i])) << "number " << i;
  expect_same("flags", got.flags, wanted.flags);
  expect_same("codes", got.codes, wanted.codes);
  expect_same("set offsets", got.set_offsets, wanted.set_offsets);
  expect_same("set codes", got.set_codes, wanted.set_codes);
  expect_same("texts", got.texts.bytes, wanted.texts.bytes);
  expect_same("text offsets", got.texts.offsets, wanted.texts.offsets);
}

void expect_same_arrays(const Artifact& got, const Artifact& wanted) {
  expect_same("profiles", got.model.profiles, wanted.model.profiles);
  expect_same("item vectors", got.model.item_vectors, wanted.model.item_vectors);
  expect_same("item gram", got.model.item_gram, wanted.model.item_gram);
  expect_same_ids(got.customer_ids, wanted.customer_ids);
  expect_same_ids(got.item_ids, wanted.item_ids);
  expect_same("kinds", got.catalog.kinds, wanted.catalog.kinds);
  expect_same("titles", got.catalog.titles.bytes, wanted.catalog.titles.bytes);
  expect_same("title offsets", got.catalog.titles.offsets, wanted.catalog.titles.offsets);
  expect_same("categories", got.catalog.categories.bytes, wanted.catalog.categories.bytes);
  expect_same("category offsets", got.catalog.categories.offsets, wanted.catalog.categories.offsets);
  expect_same_columns(got.catalog.columns, wanted.catalog.columns);
  expect_same("content link offsets", got.content_links.offsets, wanted.content_links.offsets);
  expect_same("content link items", got.content_links.items, wanted.content_links.items);
  expect_same("content likeness", got.content_links.likeness, wanted.content_links.likeness);
  expect_same("content spread", got.content_links.spread, wanted.content_links.spread);
  expect_same("uncertainty basis", got.uncertainty.basis, wanted.uncertainty.basis);
  expect_same("item certainties", got.uncertainty.items, wanted.uncertainty.items);
  expect_same("history offsets", got.histories.offsets, wanted.histories.offsets);
  expect_same("history items", got.histories.items, wanted.histories.items);
  expect_same("confidences", got.histories.confidences, wanted.histories.confidences);
  expect_same("targets", got.histories.targets, wanted.histories.targets);
  expect_same("consumed", got.histories.consumed, wanted.histories.consumed);
  expect_same("repurchase", got.histories.repurchase, wanted.histories.repurchase);
  expect_same("counts", got.histories.counts, wanted.histories.counts);
  expect_same("item customers", got.item_customers, wanted.item_customers);
  expect_same("item baskets", got.co_purchases.item_baskets, wanted.co_purchases.item_baskets);
  expect_same("co-purchase offsets", got.co_purchases.offsets, wanted.co_purchases.offsets);
  expect_same("partners", got.co_purchases.partners, wanted.co_purchases.partners);
  expect_same("counts", got.co_purchases.counts, wanted.co_purchases.counts);
}

std::shared_ptr<const Artifact> written_and_read(const Artifact& artifact) {
  const TestFolder scratch;
  const std::string folder = scratch.folder("v");
  const absl::Status written = write_artifact(artifact, folder);
  EXPECT_TRUE(written.ok()) << written;
  const auto read = open_artifact(folder);
  EXPECT_TRUE(read.ok()) << read.status();
  return read.ok() ? *read : nullptr;  // mapped files outlive their names
}

TEST(ArtifactRoundTrip, KeepsEveryArray) {
  const Artifact artifact = tiny_artifact();
  const auto read = written_and_read(artifact);
  ASSERT_NE(read, nullptr);
  expect_same_arrays(*read, artifact);
}

TEST(ArtifactRoundTrip, KeepsWhereTheModelComesFrom) {
  const Artifact artifact = tiny_artifact();
  const auto read = written_and_read(artifact);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->version, "v");
  EXPECT_EQ(read->parent, artifact.parent);
  EXPECT_EQ(read->created_at, artifact.created_at);
  const Recipe &got = read->recipe, &wanted = artifact.recipe;
  EXPECT_EQ(got.options.dimension, wanted.options.dimension);
  EXPECT_EQ(got.options.seed, wanted.options.seed);
  EXPECT_EQ(got.options.unobserved_weight, wanted.options.unobserved_weight);
  EXPECT_EQ(got.options.regularization, wanted.options.regularization);
  EXPECT_EQ(got.options.regularization_exponent, wanted.options.regularization_exponent);
  EXPECT_EQ(got.options.solver, wanted.options.solver);
  EXPECT_EQ(got.epochs, wanted.epochs);
  EXPECT_EQ(got.validation, wanted.validation);
  EXPECT_EQ(got.select_time, wanted.select_time);
  EXPECT_EQ(got.judge_time, wanted.judge_time);
  EXPECT_EQ(got.distinct, wanted.distinct);
  EXPECT_EQ(got.backend, wanted.backend);
  EXPECT_EQ(got.program_version, wanted.program_version);
  EXPECT_EQ(got.sources, wanted.sources);
  EXPECT_EQ(read->model.constants.unobserved_weight, artifact.model.constants.unobserved_weight);
  EXPECT_EQ(read->model.constants.regularization, artifact.model.constants.regularization);
  EXPECT_EQ(read->model.constants.regularization_exponent, artifact.model.constants.regularization_exponent);
  EXPECT_EQ(read->model.constants.training_item_count, artifact.model.constants.training_item_count);
  EXPECT_EQ(read->model.constants.training_customer_count, artifact.model.constants.training_customer_count);
  EXPECT_EQ(read->model.constants.empty_history_share, artifact.model.constants.empty_history_share);
  EXPECT_EQ(read->content_links.weight, artifact.content_links.weight);
}

TEST(ArtifactRoundTrip, KeepsTheNamesThatWereLeftOut) {
  Artifact artifact = tiny_artifact();
  artifact.customer_attributes.left_out = {"shoe size", "zodiac"};
  const auto read = written_and_read(artifact);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->customer_attributes.left_out, artifact.customer_attributes.left_out);
}

TEST(ArtifactRoundTrip, KeepsTheCalibrationToTheLastBit) {
  const Artifact artifact = tiny_artifact();
  const auto read = written_and_read(artifact);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->uncertainty.noise_variance, artifact.uncertainty.noise_variance);
  EXPECT_EQ(read->calibration.horizon_days, artifact.calibration.horizon_days);
  EXPECT_EQ(read->calibration.length, artifact.calibration.length);
  ASSERT_EQ(read->calibration.maps.size(), 1u);
  const CalibrationMap &got = read->calibration.maps[0], &wanted = artifact.calibration.maps[0];
  EXPECT_EQ(got.source, wanted.source);
  EXPECT_EQ(got.kind, wanted.kind);
  EXPECT_EQ(got.scores, wanted.scores);
  EXPECT_EQ(got.probabilities, wanted.probabilities);
  EXPECT_EQ(got.rows, wanted.rows);
  EXPECT_EQ(got.taken, wanted.taken);
  EXPECT_EQ(got.log_loss, wanted.log_loss);
  EXPECT_EQ(got.base_log_loss, wanted.base_log_loss);
  EXPECT_EQ(got.skill_low, wanted.skill_low);
  EXPECT_EQ(got.skill_high, wanted.skill_high);
  EXPECT_EQ(got.slope, wanted.slope);
}

TEST(ArtifactRoundTrip, KeepsTheRulesOfRowsToTheLastBit) {
  const Artifact artifact = tiny_artifact();
  const auto read = written_and_read(artifact);
  ASSERT_NE(read, nullptr);
  const EventRules &got = read->rules, &wanted = artifact.rules;
  EXPECT_EQ(got.reference_time, wanted.reference_time);
  EXPECT_EQ(got.max_history, wanted.max_history);
  EXPECT_EQ(got.repurchase_half_life_days, wanted.repurchase_half_life_days);
  EXPECT_EQ(read->repurchase.share, artifact.repurchase.share);
  EXPECT_EQ(read->co_purchases.basket_count, artifact.co_purchases.basket_count);
  ASSERT_EQ(got.types.size(), wanted.types.size());
  for (size_t i = 0; i < wanted.types.size(); ++i) {
    EXPECT_EQ(got.types[i].name, wanted.types[i].name);
    EXPECT_EQ(got.types[i].weight, wanted.types[i].weight);
    EXPECT_EQ(got.types[i].consumes, wanted.types[i].consumes);
    EXPECT_EQ(got.types[i].returns, wanted.types[i].returns);
    EXPECT_EQ(got.types[i].transform, wanted.types[i].transform);
    EXPECT_EQ(got.types[i].half_life_days, wanted.types[i].half_life_days);
    EXPECT_EQ(got.types[i].value_cap, wanted.types[i].value_cap);
  }
}

TEST(ArtifactRoundTrip, KeepsMetricsAlsoTheOnesThatCouldNotBeMeasured) {
  Artifact artifact = tiny_artifact();
  artifact.metrics[0].metrics[1].low = std::numeric_limits<double>::quiet_NaN();
  const auto read = written_and_read(artifact);
  ASSERT_NE(read, nullptr);
  ASSERT_EQ(read->metrics.size(), 2u);
  EXPECT_EQ(read->metrics[0].subject, "model");
  EXPECT_EQ(read->metrics[0].repeats, "exclude");
  EXPECT_EQ(read->metrics[0].customers, 3);
  ASSERT_EQ(read->metrics[0].metrics.size(), 2u);
  EXPECT_EQ(read->metrics[0].metrics[1].name, "ndcg@20");
  EXPECT_EQ(read->metrics[0].metrics[1].value, 1.0 / 3);
  EXPECT_TRUE(std::isnan(read->metrics[0].metrics[1].low));
  EXPECT_EQ(read->metrics[0].metrics[1].high, 0.4);
  EXPECT_TRUE(read->metrics[1].metrics.empty());
}

TEST(ArtifactRoundTrip, TakesAModelWithoutOptionalParts) {
  Artifact artifact = tiny_artifact();
  artifact.catalog = {};
  artifact.co_purchases = {};
  artifact.content_links = {};
  artifact.uncertainty = {};
  artifact.calibration = {};
  artifact.histories.targets = {};
  const auto read = written_and_read(artifact);
  ASSERT_NE(read, nullptr);
  expect_same_arrays(*read, artifact);
  EXPECT_EQ(read->catalog.kind(3), ItemKind::kProduct);
  EXPECT_EQ(read->catalog.titles.at(3), "");
}

TEST(ArtifactRoundTrip, TakesAModelWithoutCustomersAndItems) {
  Artifact artifact;
  artifact.rules.types = built_in_event_types();
  artifact.model.dimension = 1;
  artifact.model.item_gram = std::vector<float>{0};
  artifact.histories.offsets = std::vector<int64_t>{0};
  const auto read = written_and_read(artifact);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->customer_ids.size(), 0);
  EXPECT_EQ(read->item_ids.find("milk"), kNone);
}

TEST(ArtifactRoundTrip, KnowsWhichColumnsSayThatAnAttributeIsMissing) {
  const auto read = written_and_read(tiny_artifact());
  ASSERT_NE(read, nullptr);
  const AttributeSchema& schema = read->customer_attributes.schema;
  ASSERT_FALSE(schema.empty());
  EXPECT_EQ(read->model.customer_prior.missing_columns.size(), static_cast<int64_t>(schema.attributes().size()));
  for (size_t a = 0; a < schema.attributes().size(); ++a)
    EXPECT_EQ(read->model.customer_prior.missing_columns[static_cast<int64_t>(a)], schema.place(a).missing());
}

TEST(ArtifactRoundTrip, MapsEverySectionOnA64ByteBoundary) {
  const auto read = written_and_read(tiny_artifact());
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(read->model.item_vectors.data()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(read->model.profiles.data()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(read->histories.items.data()) % 64, 0u);
}

TEST(ArtifactRoundTrip, GivesTheSameBytesForTheSameModel) {
  const TestFolder scratch;
  const std::string a = scratch.folder("a"), b = scratch.folder("b");
  ASSERT_TRUE(write_artifact(tiny_artifact(), a).ok());
  ASSERT_TRUE(write_artifact(tiny_artifact(), b).ok());
  EXPECT_EQ(content_hash(a).value(), content_hash(b).value());
}

TEST(ArtifactRoundTrip, KeepsPersonalDataOutOfTheItemFiles) {
  const TestFolder scratch;
  const std::string folder = scratch.folder("v");
  ASSERT_TRUE(write_artifact(tiny_artifact(), folder).ok());
  const auto manifest = read_manifest(folder);
  ASSERT_TRUE(manifest.ok());
  for (const Section& section : manifest->sections) {
    const bool about_all_together = section.name == "customer_attribute_schema" || section.name == "customer_prior";
    const bool about_customers = section.name == "profiles" || section.name.starts_with("history_") ||
                                 (section.name.starts_with("customer_") && !about_all_together);
    EXPECT_EQ(section.personal, about_customers) << section.name;
    if (section.personal) continue;
    EXPECT_THAT(read_file(folder + "/" + section.file), testing::Not(HasSubstr("bob"))) << section.name;
  }
  EXPECT_THAT(read_file(folder + "/manifest.json"), testing::Not(HasSubstr("bob")));
}

TEST(ArtifactRoundTrip, RefusesToWriteWhatItWouldNotRead) {
  const TestFolder scratch;
  Artifact artifact = tiny_artifact();
  artifact.model.profiles = std::vector<float>{1, 2, 3, 4, 5, std::numeric_limits<float>::infinity()};
  EXPECT_EQ(write_artifact(artifact, scratch.folder("v")).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path() + "/v"));
}

TEST(ArtifactRoundTrip, DoesNotWriteIntoAFolderThatHoldsSomething) {
  const TestFolder scratch;
  overwrite(scratch.folder("v") + "/note", "mine");
  EXPECT_EQ(write_artifact(tiny_artifact(), scratch.path() + "/v").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(read_file(scratch.path() + "/v/note"), "mine");
}

TEST(ArtifactRoundTrip, SaysThatAFolderIsNotThere) {
  const TestFolder scratch;
  EXPECT_EQ(open_artifact(scratch.path() + "/absent").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(open_artifact(scratch.path()).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace bouquet
