#include "server/catalog_entries.h"

#include <array>
#include <utility>

#include "absl/time/time.h"
#include "engine/attribute_elements.h"

namespace bouquet::server {
namespace {

std::string text_of(const google::protobuf::Timestamp& time) {
  return absl::FormatTime(kMomentFormat, absl::FromUnixSeconds(time.seconds()), absl::UTCTimeZone());
}

void read_time(const std::string& text, google::protobuf::Timestamp* out) {
  absl::Time time;
  if (absl::ParseTime(kMomentFormat, text, &time, nullptr)) out->set_seconds(absl::ToUnixSeconds(time));
}

std::vector<std::string> elements_of(const std::string& text) {
  SetElements set;
  std::vector<std::string> out;
  if (set.read(AttributeValue::of_text(text), false).ok())
    for (const SetElements::Element& element : set.elements()) out.emplace_back(catalog_text(element.text));
  return out;
}

std::vector<std::string> elements_of(const v1::AttributeValue::Texts& texts) {
  std::vector<std::string> out;
  for (const std::string& text : texts.values()) out.emplace_back(catalog_text(text));
  return out;
}

std::string category_of(const AttributeValue& value) {
  std::array<char, 32> digits;
  return std::string(category_text(value, digits));
}

void write_value(const CatalogValue& value, v1::AttributeValue* out) {
  if (const auto* number = std::get_if<double>(&value)) out->set_number(*number);
  if (const auto* flag = std::get_if<bool>(&value)) out->set_flag(*flag);
  if (const auto* text = std::get_if<std::string>(&value)) out->set_text(*text);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value))
    out->mutable_texts()->mutable_values()->Add(texts->begin(), texts->end());
}

}  // namespace

AttributeTypes types_of_item_fields() {
  return {{"price", AttributeType::kNumber},
          {"stock", AttributeType::kNumber},
          {"available", AttributeType::kFlag},
          {"available_from", AttributeType::kCategory},
          {"available_until", AttributeType::kCategory}};
}

std::optional<AttributeType> own_type(const v1::AttributeValue& value) {
  switch (value.value_case()) {
    case v1::AttributeValue::kNumber: return AttributeType::kNumber;
    case v1::AttributeValue::kFlag: return AttributeType::kFlag;
    case v1::AttributeValue::kText: return AttributeType::kCategory;
    case v1::AttributeValue::kTexts: return AttributeType::kSet;
    default: return std::nullopt;
  }
}

std::optional<CatalogValue> value_as(const v1::AttributeValue& value, AttributeType type) {
  switch (value.value_case()) {
    case v1::AttributeValue::kNumber:
      if (type == AttributeType::kNumber) return value.number();
      if (type == AttributeType::kCategory) return category_of(AttributeValue::of_number(value.number()));
      return std::nullopt;
    case v1::AttributeValue::kFlag:
      if (type == AttributeType::kFlag) return value.flag();
      if (type == AttributeType::kCategory) return category_of(AttributeValue::of_flag(value.flag()));
      return std::nullopt;
    case v1::AttributeValue::kText:
      if (type == AttributeType::kCategory) return std::string(catalog_text(value.text()));
      if (type == AttributeType::kSet) return elements_of(value.text());
      return std::nullopt;
    case v1::AttributeValue::kTexts:
      if (type == AttributeType::kSet) return elements_of(value.texts());
      return std::nullopt;
    default: return std::nullopt;
  }
}

void merge(const v1::Item& said, v1::Item& known) {
  known.MergeFrom(said);  // of a map that both have an entry of, the one that is said counts whole
  known.clear_new_generation();
  known.clear_in_model();
  if (said.has_available_from()) *known.mutable_available_from() = said.available_from();
  if (said.has_available_until()) *known.mutable_available_until() = said.available_until();
}

CatalogItem with_entry(CatalogItem base, const v1::Item& known, const AttributeTypes& types) {
  if (known.kind() != v1::ITEM_KIND_UNSPECIFIED) base.kind = static_cast<ItemKind>(known.kind() - v1::ITEM_KIND_PRODUCT);
  if (!known.title().empty()) base.title = known.title();
  if (!known.category().empty()) base.category = known.category();
  if (known.has_price()) base.attributes["price"] = known.price();
  if (known.has_stock()) base.attributes["stock"] = known.stock();
  if (known.has_available()) base.attributes["available"] = known.available();
  if (known.has_available_from()) base.attributes["available_from"] = text_of(known.available_from());
  if (known.has_available_until()) base.attributes["available_until"] = text_of(known.available_until());
  for (const auto& [name, said] : known.attributes()) {
    const auto type = types.find(name);
    auto value = type == types.end() ? std::nullopt : value_as(said, type->second);
    base.attributes.erase(name);
    if (!value || (value->index() == 2 && std::get<std::string>(*value).empty())) continue;
    base.attributes.emplace(name, *std::move(value));
  }
  return base;
}

void write_item(const CatalogItem& item, v1::Item* out) {
  out->set_kind(static_cast<v1::ItemKind>(static_cast<int>(item.kind) + v1::ITEM_KIND_PRODUCT));
  out->set_title(item.title);
  out->set_category(item.category);
  for (const auto& [name, value] : item.attributes) {
    const auto* text = std::get_if<std::string>(&value);
    if (const auto* number = std::get_if<double>(&value); number != nullptr && name == "price")
      out->set_price(*number);
    else if (number != nullptr && name == "stock")
      out->set_stock(*number);
    else if (const auto* flag = std::get_if<bool>(&value); flag != nullptr && name == "available")
      out->set_available(*flag);
    else if (text != nullptr && name == "available_from")
      read_time(*text, out->mutable_available_from());
    else if (text != nullptr && name == "available_until")
      read_time(*text, out->mutable_available_until());
    else
      write_value(value, &(*out->mutable_attributes())[name]);
  }
}

}  // namespace bouquet::server
