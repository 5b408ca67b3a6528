// A model small enough to damage in every byte, with something in every section; and a folder for it that is removed afterwards.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "engine/artifact.h"
#include "engine/catalog_columns_builder.h"
#include "engine/event_rules.h"
#include "engine/scratch_folder.h"

namespace bouquet {

// In memory where that is possible: these tests sync thousands of files.
class TestFolder {
 public:
  const std::string& path() const { return scratch_.path(); }
  // An empty folder inside.
  std::string folder(const std::string& name) const {
    std::filesystem::create_directory(path() + "/" + name);
    return path() + "/" + name;
  }

 private:
  ScratchFolder scratch_ = *ScratchFolder::make("test", ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "");
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void overwrite(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline IdTable id_table(const std::vector<std::string>& ids) {
  IdMap map;
  for (const std::string& id : ids) map.add(id);
  return std::move(map).freeze();
}

// 3 customers, 4 items, d = 2, 5 pairs, 3 baskets. The last customer has no history.
inline Artifact tiny_artifact() {
  Artifact a;
  a.parent = "20260101T000000Z-00000000";
  a.created_at = 1767225600000001;
  a.recipe.options = {.dimension = 2, .seed = 18446744073709551615ull, .unobserved_weight = 0.25};
  a.recipe.epochs = 7;
  a.recipe.validation = "last-days:7";
  a.recipe.select_time = 1766000000000000;
  a.recipe.judge_time = 1767000000000000;
  a.recipe.distinct = true;
  a.recipe.backend = "cpu (AVX2, 2 threads)";
  a.recipe.program_version = "0.1.0";
  a.recipe.sources = {"orders.csv", "caf\xc3\xa9.parquet"};
  a.metrics = {{"model", "exclude", 3, {{"recall@20", 0.125, 0.1, 0.15}, {"ndcg@20", 1.0 / 3, 0.3, 0.4}}},
               {"most-popular", "include", 2, {}}};
  a.rules.types = built_in_event_types();
  a.rules.types[0].value_cap = 12.5;
  a.rules.types[1].half_life_days = 30;
  a.rules.reference_time = 1767225599999999;
  a.rules.max_history = 100;
  a.rules.repurchase_half_life_days = 45.5;
  a.repurchase.share = 0.5;
  a.calibration = {.horizon_days = 7.5, .length = 100, .maps = {{}}};
  CalibrationMap& map = a.calibration.maps[0];
  map.kind = ItemKind::kContent;
  map.scores = {-0.5, 0.1};
  map.probabilities = {0.01, 0.125};
  map.rows = 1000;
  map.taken = 20;
  map.log_loss = 0.09;
  map.base_log_loss = 0.1;
  map.skill_low = 0.005;
  map.skill_high = 0.015;
  map.slope = 0.95;
  a.model.dimension = 2;
  a.model.profiles = std::vector<float>{1, 2, 0.5f, -1, 0, 0};
  a.model.item_vectors = std::vector<float>{1, 0, 0, 1, 2, 0.25f, -1, 3};
  a.model.item_gram = std::vector<float>{6, -2.5f, -2.5f, 10.0625f};
  a.model.constants = {0.25, 0.01, 0.5, 4, 2, 0.125};
  a.customer_ids = id_table({"ann", "bob", "c\xc3\xa9line"});
  a.item_ids = id_table({"milk", "bread", "tea", "news"});
  a.catalog.kinds = std::vector<uint8_t>{0, 0, 0, 1};
  a.catalog.titles = string_column({"Milk, 1 l", "Bread", "", "Weekly news"});
  a.catalog.categories = string_column({"dairy", "bakery", "drinks", ""});
  CatalogColumnsBuilder columns;
  columns.add_numbers("price", {0.99, 2.5, std::numeric_limits<double>::quiet_NaN(), 0});
  columns.add_flags("fresh", {1, 1, 0, kMissingFlag});
  columns.add_categories("origin", {"Bavaria", "", "Assam", "Bavaria"});
  columns.add_sets("tags", {{{"cold", "white"}}, {std::vector<std::string>{}}, {{"hot"}}, {}});
  a.catalog.columns = columns.finish();
  a.histories.offsets = std::vector<int64_t>{0, 3, 5, 5};
  a.histories.items = std::vector<int32_t>{0, 1, 3, 0, 2};
  a.histories.confidences = std::vector<float>{1, 2.5f, 0.1f, 3, 1};
  a.histories.targets = std::vector<float>{1, 0, 1, 1, 1};
  a.histories.consumed = std::vector<uint8_t>{1, 0, 0, 1, 1};
  a.histories.repurchase = std::vector<float>{2, 0, 0, 1, 0.75f};
  a.histories.counts = std::vector<int32_t>{3, 0, 0, 1, 1};
  a.item_customers = std::vector<int32_t>{2, 0, 1, 0};
  a.customer_attributes = {*AttributeSchema::make({{"age", NumberTransform{.low = 18, .high = 90, .mean = 40, .deviation = 12.5}},
                                                   {"country", CategoryTransform{{"DE"}}}}),
                           {5, 1, std::vector<float>{0.5f, -1, 0}, std::vector<int64_t>{0, 1, 2, 4}, std::vector<int32_t>{2, 3, 1, 4},
                            std::vector<float>{1, 1, 1, 1}}};
  a.model.customer_prior = {1, std::vector<float>{1, 0, 2, 0.5f, -1, 3, 0, 0, 0.25f, 1, 2, 2}};
  a.item_attributes = {
      *AttributeSchema::make({{"organic", FlagTransform{}}}),
      {2, 0, std::vector<float>{}, std::vector<int64_t>{0, 1, 1, 2, 2}, std::vector<int32_t>{0, 1}, std::vector<float>{1, 1}}};
  a.model.item_prior = {0, std::vector<float>{1, 2, 3, 4, 5, 6}};
  a.uncertainty = {
      .noise_variance = 0.3, .basis = std::vector<float>{0, 1, 1, 0, 0.5f, 2}, .items = std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}};
  a.content_links = {std::vector<int64_t>{0, 2, 2, 3, 3}, std::vector<int32_t>{1, 3, 3}, std::vector<float>{0.5f, 0.25f, 1},
                     std::vector<float>{1, 0.5f, 0.5f, 2}};
  a.co_purchases = {3, std::vector<int32_t>{3, 2, 1, 0}, std::vector<int64_t>{0, 2, 3, 4, 4}, std::vector<int32_t>{1, 2, 0, 0},
                    std::vector<int32_t>{2, 1, 2, 1}};
  return a;
}

}  // namespace bouquet
