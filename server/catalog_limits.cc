#include "server/catalog_limits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <string_view>

#include "server/bad_request.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

void check_id(const std::string& id, const std::string& field, FieldViolations& out) {
  if (const char* problem = id_problem(id)) out.add(field, problem);
}

void check_text(const std::string& text, size_t most, const std::string& field, FieldViolations& out) {
  if (text.size() > most)
    out.add(field, "is longer than " + std::to_string(most) + " bytes");
  else if (!is_utf8(text))
    out.add(field, "is not valid UTF-8");
}

void check_time(const google::protobuf::Timestamp& time, const std::string& field, FieldViolations& out) {
  // Years 0001 to 9999, so that texts of times compare as times do.
  if (time.seconds() < -62135596800 || time.seconds() > 253402300799 || time.nanos() < 0 || time.nanos() > 999999999)
    out.add(field, "is not a valid google.protobuf.Timestamp");
}

void check_value(const v1::AttributeValue& value, const std::string& field, FieldViolations& out) {
  if (value.has_number() && !std::isfinite(value.number())) out.add(field, "is not finite");
  if (value.has_text()) check_text(value.text(), kMaxAttributeTextBytes, field, out);
  for (const std::string& text : value.texts().values()) check_text(text, kMaxAttributeTextBytes, field, out);
  for (const float number : value.vector().values())
    if (!std::isfinite(number)) return out.add(field, "is not finite");
}

void check_item(const v1::Item& item, const std::string& at, FieldViolations& out) {
  check_id(item.item_id(), at + ".item_id", out);
  if (item.kind() < v1::ITEM_KIND_UNSPECIFIED || item.kind() > v1::ITEM_KIND_ACTION)
    out.add(at + ".kind", "is " + std::to_string(item.kind()) + "; it must be ITEM_KIND_PRODUCT, ITEM_KIND_CONTENT or ITEM_KIND_ACTION");
  check_text(item.title(), kMaxItemTextBytes, at + ".title", out);
  check_text(item.category(), kMaxItemTextBytes, at + ".category", out);
  if (!std::isfinite(item.price())) out.add(at + ".price", "is not finite");
  if (!std::isfinite(item.stock())) out.add(at + ".stock", "is not finite");
  if (item.has_available_from()) check_time(item.available_from(), at + ".available_from", out);
  if (item.has_available_until()) check_time(item.available_until(), at + ".available_until", out);
  if (item.attributes_size() > kMaxItemAttributes)
    return out.add(at + ".attributes", "has " + std::to_string(item.attributes_size()) + " entries; at most 1000 are allowed");
  for (const auto& [name, value] : item.attributes()) {
    const std::string field = at + ".attributes[\"" + name.substr(0, 64) + "\"]";
    if (const char* problem = id_problem(name)) out.add(field, std::string("has a name that ") + problem);
    if (is_item_field(name)) out.add(field, "is a field of the item; set that");
    check_value(value, field, out);
  }
}

template <typename Ids, typename IdOf>
void check_list(const Ids& list, const char* field, const IdOf& id_of, FieldViolations& out) {
  if (list.empty() || list.size() > kMaxUpsertedItems)
    return out.add(field, "has " + std::to_string(list.size()) + " entries; it must have 1 to 1000");
  std::set<std::string_view> seen;
  for (int i = 0; i < list.size(); ++i)
    if (!seen.insert(id_of(list[i])).second)
      out.add(std::string(field) + "[" + std::to_string(i) + "]", "is an item that stands there already");
}

}  // namespace

bool is_item_field(std::string_view name) {
  constexpr std::array<std::string_view, 11> kFields = {"item_id",         "kind",           "title",     "category",
                                                        "price",           "stock",          "available", "available_from",
                                                        "available_until", "new_generation", "in_model"};
  return std::find(kFields.begin(), kFields.end(), name) != kFields.end();
}

absl::Status validate(const v1::UpsertItemsRequest& request) {
  FieldViolations out;
  check_id(request.request_id(), "request_id", out);
  check_list(
      request.items(), "items", [](const v1::Item& item) -> const std::string& { return item.item_id(); }, out);
  for (int i = 0; i < std::min(request.items_size(), kMaxUpsertedItems); ++i)
    check_item(request.items(i), "items[" + std::to_string(i) + "]", out);
  return out.status();
}

absl::Status validate(const v1::DeleteItemsRequest& request) {
  FieldViolations out;
  check_id(request.request_id(), "request_id", out);
  check_list(
      request.item_ids(), "item_ids", [](const std::string& id) -> const std::string& { return id; }, out);
  for (int i = 0; i < std::min(request.item_ids_size(), kMaxUpsertedItems); ++i)
    check_id(request.item_ids(i), "item_ids[" + std::to_string(i) + "]", out);
  return out.status();
}

absl::Status validate(const v1::GetItemRequest& request) {
  FieldViolations out;
  check_id(request.item_id(), "item_id", out);
  return out.status();
}

absl::Status validate(const v1::ListItemsRequest& request) {
  FieldViolations out;
  if (request.page_size() < 0 || request.page_size() > kMaxItemPage)
    out.add("page_size", "is " + std::to_string(request.page_size()) + "; it must be 1 to 1000, or 0 for the default of 50");
  if (!request.page_token().empty()) check_id(request.page_token(), "page_token", out);
  return out.status();
}

}  // namespace bouquet::server
