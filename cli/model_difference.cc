#include "cli/model_difference.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/manifest.h"

namespace bouquet::cli {
namespace {

constexpr size_t kMostCompared = 200;

// The manifest's settings alone, flat: what a person chose or what the data gave, without counts, metrics and sections.
nlohmann::ordered_json settings_of(const Artifact& artifact) {
  Manifest manifest;
  manifest.artifact = artifact;
  const auto whole = nlohmann::ordered_json::parse(manifest_text(manifest), nullptr, false);
  nlohmann::ordered_json settings;
  for (const char* part : {"dimension", "constants", "recipe", "events", "repurchase", "baskets"})
    if (whole.contains(part)) settings[part] = whole[part];
  return settings.flatten();
}

std::vector<ChangedSetting> changed_settings(const Artifact& first, const Artifact& second) {
  const nlohmann::ordered_json before = settings_of(first), after = settings_of(second);
  std::vector<ChangedSetting> changed;
  for (const auto& [name, value] : before.items())
    if (!after.contains(name) || after[name] != value)
      changed.push_back({name.substr(1), value.dump(), after.contains(name) ? after[name].dump() : ""});
  for (const auto& [name, value] : after.items())
    if (!before.contains(name)) changed.push_back({name.substr(1), "", value.dump()});
  return changed;
}

Overlap overlap(const IdTable& first, const IdTable& second) {
  Overlap o;
  for (int32_t i = 0; i < first.size(); ++i) ++(second.find(first.id(i)) != kNone ? o.both : o.only_first);
  o.only_second = second.size() - o.both;
  return o;
}

// Rows of the items that both models know, in the same order, scaled to length 1.
struct SharedItems {
  std::vector<float> first, second;  // [count, d of each]
  size_t count = 0;
};

void append_unit_row(const Model& model, int32_t row, std::vector<float>& rows) {
  const auto vector = model.item_matrix().row(row);
  double squares = 0;
  for (const float x : vector) squares += double{x} * double{x};
  const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
  for (const float x : vector) rows.push_back(static_cast<float>(double{x} * scale));
}

SharedItems shared_items(const Artifact& first, const Artifact& second) {
  SharedItems shared;
  for (int32_t i = 0; i < first.item_ids.size(); ++i) {
    const int32_t other = second.item_ids.find(first.item_ids.id(i));
    if (other == kNone) continue;
    append_unit_row(first.model, i, shared.first);
    append_unit_row(second.model, other, shared.second);
    ++shared.count;
  }
  return shared;
}

// The `wanted` rows nearest to row `of`, itself left out, sorted by row.
std::vector<size_t> nearest_rows(const std::vector<float>& rows, size_t count, size_t of, size_t wanted) {
  const size_t d = rows.size() / count;
  std::vector<std::pair<float, size_t>> by_cosine;
  for (size_t r = 0; r < count; ++r) {
    if (r == of) continue;
    float cosine = 0;
    for (size_t j = 0; j < d; ++j) cosine += rows[of * d + j] * rows[r * d + j];
    by_cosine.emplace_back(-cosine, r);
  }
  std::partial_sort(by_cosine.begin(), by_cosine.begin() + static_cast<std::ptrdiff_t>(wanted), by_cosine.end());
  std::vector<size_t> nearest;
  for (size_t i = 0; i < wanted; ++i) nearest.push_back(by_cosine[i].second);
  std::sort(nearest.begin(), nearest.end());
  return nearest;
}

Neighbours compare_neighbours(const Artifact& first, const Artifact& second) {
  Neighbours result;
  const SharedItems shared = shared_items(first, second);
  if (shared.count < 2) return result;
  const size_t wanted = std::min(static_cast<size_t>(result.per_item), shared.count - 1);
  const size_t compared = std::min(shared.count, kMostCompared);
  size_t kept = 0;
  for (size_t i = 0; i < compared; ++i) {
    const size_t row = i * shared.count / compared;
    const auto before = nearest_rows(shared.first, shared.count, row, wanted);
    const auto after = nearest_rows(shared.second, shared.count, row, wanted);
    std::vector<size_t> same;
    std::set_intersection(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(same));
    kept += same.size();
    result.items_changed += same.size() < wanted;
  }
  result.per_item = static_cast<int32_t>(wanted);
  result.items_compared = static_cast<int64_t>(compared);
  result.kept = static_cast<double>(kept) / static_cast<double>(compared * wanted);
  return result;
}

}  // namespace

ModelDifference difference(const Artifact& first, const Artifact& second) {
  return {changed_settings(first, second), overlap(first.customer_ids, second.customer_ids), overlap(first.item_ids, second.item_ids),
          compare_neighbours(first, second)};
}

}  // namespace bouquet::cli
