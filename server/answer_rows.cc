#include "server/answer_rows.h"

#include <algorithm>

namespace bouquet::server {

namespace {

// nullptr: rows of this source and kind have no probability.
const CalibrationMap* map_of(const Calibration& calibration, v1::Source source, ItemKind kind) {
  if (source == v1::SOURCE_MODEL) return calibration.find(AnswerSource::kModel, kind);
  if (source == v1::SOURCE_REPURCHASE) return calibration.find(AnswerSource::kRepurchase, kind);
  return nullptr;
}

}  // namespace

void append_known(const IdTable& table, const IdList& ids, std::vector<ItemIndex>& indices) {
  for (const std::string& id : ids)
    if (const ItemIndex item = table.find(id); item != kNone) indices.push_back(item);
}

void make_ascending_set(std::vector<ItemIndex>& indices) {
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
}

bool is_eligible(ItemIndex item, const Eligibility& eligibility) {
  if (!eligibility.filter.words.empty() && !eligibility.filter.test(item)) return false;
  return !std::binary_search(eligibility.excluded.begin(), eligibility.excluded.end(), item);
}

std::string item_name(const ServedModel& served, ItemIndex item) {
  std::string name;
  served.catalog().describe(item, [&](ItemKind, std::string_view title, std::string_view) { name = title; });
  return name.empty() ? std::string(served.artifact().item_ids.id(item)) : name;
}

void write_item(const ServedModel& served, ItemIndex item, float score, v1::Source source, v1::RecommendedItem* row, bool observed) {
  const auto set = [](std::string* to, std::string_view from) { to->assign(from.data(), from.size()); };
  const Artifact& artifact = served.artifact();
  set(row->mutable_item_id(), artifact.item_ids.id(item));
  row->set_score(score);
  row->set_source(source);
  served.catalog().describe(item, [&](ItemKind kind, std::string_view title, std::string_view category) {
    row->set_kind(static_cast<v1::ItemKind>(static_cast<int>(kind) + v1::ITEM_KIND_PRODUCT));
    const CalibrationMap* const map = observed ? map_of(artifact.calibration, source, kind) : nullptr;
    if (map != nullptr) row->set_probability(map->probability(score));
    if (!title.empty()) set(row->mutable_title(), title);
    if (!category.empty()) set(row->mutable_category(), category);
  });
}

}  // namespace bouquet::server
