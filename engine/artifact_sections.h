// The one list of an artifact's arrays: writing and reading both walk it, so they cannot disagree. Internal to engine/.
#pragma once

#include <cstdint>
#include <type_traits>

#include "absl/status/status.h"
#include "engine/artifact.h"

namespace bouquet {

// The arrays of an IdTable, which can only be put together checked (IdTable::from_parts).
struct IdParts {
  SharedArray<char> bytes;
  SharedArray<uint64_t> offsets;
  SharedArray<uint64_t> slots;
};

// The artifact's arrays with the ids taken apart.
struct ArtifactArrays {
  Artifact artifact;
  IdParts customer_ids;
  IdParts item_ids;
  SharedArray<char> customer_schema;  // JSON (attribute_schema_json.h)
  SharedArray<char> item_schema;
  SharedArray<char> item_columns;  // JSON (catalog_columns_json.h)
};

enum class Need {
  kRequired,  // every artifact has it
  kBinding,   // an empty array is not stored; a program that does not know a stored one must refuse it
  kOptional,  // an empty array is not stored; a program that does not know a stored one may ignore it
};

struct SectionTraits {
  const char* name;
  bool personal;  // about customers: stands apart from the item side
  Need need;
  bool has_columns = false;  // [rows, dimension] instead of [n]
};

template <typename T>
constexpr const char* element_type_name() {
  if constexpr (std::is_same_v<T, char>) return "char";
  if constexpr (std::is_same_v<T, uint8_t>) return "u8";
  if constexpr (std::is_same_v<T, int32_t>) return "i32";
  if constexpr (std::is_same_v<T, int64_t>) return "i64";
  if constexpr (std::is_same_v<T, uint64_t>) return "u64";
  if constexpr (std::is_same_v<T, float>) return "f32";
  if constexpr (std::is_same_v<T, double>) return "f64";
}

// Calls visit(traits, array) for every section in the order in which they are written, until one call fails.
// `arrays` is ArtifactArrays, const or not.
template <typename Arrays, typename Visit>
absl::Status for_each_section(Arrays& arrays, const Visit& visit) {
  absl::Status status;
  const auto section = [&](const SectionTraits& traits, auto& array) {
    if (status.ok()) status = visit(traits, array);
  };
  constexpr bool kItemSide = false, kPersonal = true, kMatrix = true;
  constexpr Need kRequired = Need::kRequired, kBinding = Need::kBinding, kOptional = Need::kOptional;
  auto& a = arrays.artifact;
  section({"item_vectors", kItemSide, kRequired, kMatrix}, a.model.item_vectors);
  section({"item_gram", kItemSide, kRequired, kMatrix}, a.model.item_gram);
  section({"item_id_bytes", kItemSide, kRequired}, arrays.item_ids.bytes);
  section({"item_id_offsets", kItemSide, kRequired}, arrays.item_ids.offsets);
  section({"item_id_slots", kItemSide, kRequired}, arrays.item_ids.slots);
  section({"item_kinds", kItemSide, kOptional}, a.catalog.kinds);
  section({"item_title_bytes", kItemSide, kOptional}, a.catalog.titles.bytes);
  section({"item_title_offsets", kItemSide, kOptional}, a.catalog.titles.offsets);
  section({"item_category_bytes", kItemSide, kOptional}, a.catalog.categories.bytes);
  section({"item_category_offsets", kItemSide, kOptional}, a.catalog.categories.offsets);
  section({"item_columns", kItemSide, kOptional}, arrays.item_columns);
  section({"item_column_numbers", kItemSide, kOptional}, a.catalog.columns.numbers);
  section({"item_column_flags", kItemSide, kOptional}, a.catalog.columns.flags);
  section({"item_column_codes", kItemSide, kOptional}, a.catalog.columns.codes);
  section({"item_column_set_offsets", kItemSide, kOptional}, a.catalog.columns.set_offsets);
  section({"item_column_set_codes", kItemSide, kOptional}, a.catalog.columns.set_codes);
  section({"item_column_text_bytes", kItemSide, kOptional}, a.catalog.columns.texts.bytes);
  section({"item_column_text_offsets", kItemSide, kOptional}, a.catalog.columns.texts.offsets);
  section({"item_customers", kItemSide, kRequired}, a.item_customers);
  section({"item_attribute_schema", kItemSide, kBinding}, arrays.item_schema);
  section({"item_attribute_dense", kItemSide, kBinding}, a.item_attributes.table.dense);
  section({"item_attribute_offsets", kItemSide, kBinding}, a.item_attributes.table.offsets);
  section({"item_attribute_columns", kItemSide, kBinding}, a.item_attributes.table.columns);
  section({"item_attribute_values", kItemSide, kBinding}, a.item_attributes.table.values);
  section({"item_prior", kItemSide, kBinding, kMatrix}, a.model.item_prior.map);
  section({"content_link_offsets", kItemSide, kOptional}, a.content_links.offsets);
  section({"content_link_items", kItemSide, kOptional}, a.content_links.items);
  section({"content_link_likeness", kItemSide, kOptional}, a.content_links.likeness);
  section({"content_link_spread", kItemSide, kOptional, kMatrix}, a.content_links.spread);
  section({"uncertainty_basis", kItemSide, kOptional, kMatrix}, a.uncertainty.basis);
  section({"item_certainties", kItemSide, kOptional}, a.uncertainty.items);
  section({"customer_attribute_schema", kItemSide, kBinding}, arrays.customer_schema);
  section({"customer_prior", kItemSide, kBinding, kMatrix}, a.model.customer_prior.map);
  section({"co_purchase_item_baskets", kItemSide, kOptional}, a.co_purchases.item_baskets);
  section({"co_purchase_offsets", kItemSide, kOptional}, a.co_purchases.offsets);
  section({"co_purchase_partners", kItemSide, kOptional}, a.co_purchases.partners);
  section({"co_purchase_counts", kItemSide, kOptional}, a.co_purchases.counts);
  section({"profiles", kPersonal, kRequired, kMatrix}, a.model.profiles);
  section({"customer_id_bytes", kPersonal, kRequired}, arrays.customer_ids.bytes);
  section({"customer_id_offsets", kPersonal, kRequired}, arrays.customer_ids.offsets);
  section({"customer_id_slots", kPersonal, kRequired}, arrays.customer_ids.slots);
  section({"customer_attribute_dense", kPersonal, kBinding}, a.customer_attributes.table.dense);
  section({"customer_attribute_offsets", kPersonal, kBinding}, a.customer_attributes.table.offsets);
  section({"customer_attribute_columns", kPersonal, kBinding}, a.customer_attributes.table.columns);
  section({"customer_attribute_values", kPersonal, kBinding}, a.customer_attributes.table.values);
  section({"history_offsets", kPersonal, kRequired}, a.histories.offsets);
  section({"history_items", kPersonal, kRequired}, a.histories.items);
  section({"history_confidences", kPersonal, kRequired}, a.histories.confidences);
  section({"history_targets", kPersonal, kOptional}, a.histories.targets);
  section({"history_consumed", kPersonal, kRequired}, a.histories.consumed);
  section({"history_repurchase", kPersonal, kRequired}, a.histories.repurchase);
  section({"history_counts", kPersonal, kOptional}, a.histories.counts);
  section({"history_given", kPersonal, kOptional}, a.histories.given);
  section({"history_net", kPersonal, kOptional}, a.histories.net);
  section({"history_minutes", kPersonal, kOptional}, a.histories.minutes);
  return status;
}

}  // namespace bouquet
