#include "server/item_reasons.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/answer_rows.h"
#include "server/cross_sell_batch.h"

namespace bouquet::server {
namespace {

constexpr int kMostReasons = 3;
// They say when an item may be offered, not what it is.
constexpr std::array<std::string_view, 4> kNotCompared{"available", "available_from", "available_until", "stock"};

// What both values have, for people; empty: nothing.
std::string shared(const std::string& name, const CatalogValue& a, const CatalogValue& b) {
  if (a.index() != b.index()) return {};
  if (const bool* flag = std::get_if<bool>(&a)) return *flag && std::get<bool>(b) ? "both " + name : std::string();
  if (const auto* text = std::get_if<std::string>(&a))
    return *text == std::get<std::string>(b) ? "both " + name + " = " + *text : std::string();
  const auto* set = std::get_if<std::vector<std::string>>(&a);
  if (set == nullptr) return {};
  std::vector<std::string> mine = *set, yours = std::get<std::vector<std::string>>(b), common;
  std::ranges::sort(mine);
  std::ranges::sort(yours);
  std::ranges::set_intersection(mine, yours, std::back_inserter(common));
  std::string text;
  for (const std::string& element : common) text += (text.empty() ? "both " + name + " = " : ", ") + element;
  return text;
}

int32_t common_baskets(const CoPurchases& pairs, ItemIndex a, ItemIndex b) {
  if (pairs.offsets.empty()) return 0;
  for (int64_t e = pairs.offsets[a]; e < pairs.offsets[a + 1]; ++e)
    if (pairs.partners[e] == b) return pairs.counts[e];
  return 0;
}

}  // namespace

void add_basket_reason(const ServedModel& served, ItemIndex with, int32_t common, v1::RecommendedItem* row) {
  row->add_reasons("with " + item_name(served, with) + " in " + std::to_string(common) + " of " +
                   std::to_string(served.artifact().co_purchases.item_baskets[with]) + " baskets");
}

void add_pair_reasons(const ServedModel& served, ItemIndex asked, ItemIndex item, v1::RecommendedItem* row) {
  const std::optional<CatalogItem> a = served.catalog().item(asked), b = served.catalog().item(item);
  if (a && b) {
    if (!a->category.empty() && a->category == b->category) row->add_reasons("both in category " + a->category);
    for (const auto& [name, value] : a->attributes) {
      if (row->reasons_size() == kMostReasons) return;
      const auto other = b->attributes.find(name);
      if (other == b->attributes.end() || std::ranges::find(kNotCompared, name) != kNotCompared.end()) continue;
      if (const std::string text = shared(name, value, other->second); !text.empty()) row->add_reasons(text);
    }
  }
  if (row->reasons_size() == kMostReasons) return;
  if (const int32_t common = common_baskets(served.artifact().co_purchases, asked, item); common >= kMinCommonBaskets)
    add_basket_reason(served, asked, common, row);
}

}  // namespace bouquet::server
