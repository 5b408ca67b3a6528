// The parts that the answers of all methods share: ids to indices on the way in, rows to messages on the way out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bouquet/v1/recommendations.pb.h"
#include "server/ranking_batch.h"
#include "server/served_model.h"

namespace bouquet::server {

using IdList = google::protobuf::RepeatedPtrField<std::string>;

// Appends the indices of the known ids of `ids`; unknown ones are left out.
void append_known(const IdTable& table, const IdList& ids, std::vector<ItemIndex>& indices);

// Sorts and removes repeats.
void make_ascending_set(std::vector<ItemIndex>& indices);

// Whether `item` may be returned. For walks over an order of all items; rankers test this themselves.
bool is_eligible(ItemIndex item, const Eligibility& eligibility);

// For sentences: the title, or the id where it has none.
std::string item_name(const ServedModel& served, ItemIndex item);

// With a probability, where the model has a map for the row's source and kind, and the asker is as those whom it was observed of: single
// customers with histories (`observed`).
void write_item(const ServedModel& served, ItemIndex item, float score, v1::Source source, v1::RecommendedItem* row, bool observed = true);

// Why `returned` rows are fewer than `k`: into any response with a shortfall field.
template <typename Response>
void add_shortfall(const ServedModel& served, int32_t k, int32_t returned, Response* response) {
  if (returned >= k) return;
  if (served.item_count() < k) response->add_shortfall(v1::SHORTFALL_SMALL_CATALOG);
  if (returned < served.item_count()) response->add_shortfall(v1::SHORTFALL_FILTERED);
}

}  // namespace bouquet::server
