#include "engine/attribute_schema_json.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "engine/attribute_rows.h"
#include "engine/errors.h"
#include "engine/json_fields.h"

namespace bouquet {
namespace {

using Json = nlohmann::ordered_json;

Json fields_of(const NumberTransform& t) {
  return {{"log1p", t.log1p}, {"low", t.low}, {"high", t.high}, {"mean", t.mean}, {"deviation", t.deviation}};
}
Json fields_of(const CategoryTransform& t) { return {{"values", t.values}}; }
Json fields_of(const SetTransform& t) { return {{"weighted", t.weighted}, {"values", t.values}, {"idf", t.idf}}; }
Json fields_of(const FlagTransform&) { return Json::object(); }
Json fields_of(const TextTransform& t) { return {{"bits", t.bits}, {"idf", t.idf}, {"words", t.words}}; }
Json fields_of(const VectorTransform& t) { return {{"length", t.length}, {"scale", t.scale}}; }

std::vector<float> numbers(const JsonFields& f, const char* name) {
  std::vector<float> all;
  for (const Json& element : f.array(name)) {
    if (!element.is_number()) f.complain(name, "holds something that is not a number");
    all.push_back(element.is_number() ? element.get<float>() : 0);
  }
  return all;
}

AttributeTransform read_transform(const JsonFields& f, AttributeType type) {
  switch (type) {
    case AttributeType::kNumber:
      return NumberTransform{f.boolean("log1p"), f.number("low"), f.number("high"), f.number("mean"), f.number("deviation")};
    case AttributeType::kCategory: return CategoryTransform{f.texts("values")};
    case AttributeType::kSet: return SetTransform{f.texts("values"), f.boolean("weighted"), numbers(f, "idf")};
    case AttributeType::kFlag: break;
    case AttributeType::kText:
      return TextTransform{static_cast<int>(f.integer("bits", kMinTextBits, kMaxTextBits)), numbers(f, "idf"), f.texts("words")};
    case AttributeType::kVector:
      return VectorTransform{static_cast<int32_t>(f.integer("length", 1, kMaxDenseAttributeColumns)),
                             static_cast<float>(f.number("scale"))};
  }
  return FlagTransform{};
}

Attribute read_attribute(const JsonFields& f) {
  const std::string type = f.text("type");
  int known = 0;
  while (known < kAttributeTypeCount && attribute_type_name(static_cast<AttributeType>(known)) != type) ++known;
  if (known == kAttributeTypeCount) {
    f.complain("type", "is '" + type + "'; it takes number, category, set, flag, text or vector");
    return {};
  }
  return {f.text("name"), read_transform(f, static_cast<AttributeType>(known))};
}

}  // namespace

std::string attribute_schema_text(const AttributeSchema& schema) {
  Json attributes = Json::array();
  for (const Attribute& attribute : schema.attributes()) {
    Json object{{"name", attribute.name}, {"type", attribute_type_name(attribute.type())}};
    object.update(std::visit([](const auto& t) { return fields_of(t); }, attribute.transform));
    attributes.push_back(std::move(object));
  }
  const Json root{{"format", kAttributeSchemaFormat}, {"attributes", std::move(attributes)}};
  return root.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<AttributeSchema> parse_attribute_schema(std::string_view text) {
  const Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) return bad_input("is not valid JSON");
  absl::Status status;
  const JsonFields f(root, "", status);
  const int64_t format = f.integer("format", 0, std::numeric_limits<int32_t>::max());
  if (status.ok() && format != kAttributeSchemaFormat)
    return bad_input("format " + std::to_string(format) + " of attributes is unknown; this program reads format " +
                     std::to_string(kAttributeSchemaFormat));
  std::vector<Attribute> attributes;
  const size_t count = f.array("attributes").size();
  for (size_t a = 0; a < count && status.ok(); ++a) attributes.push_back(read_attribute(f.element("attributes", a)));
  if (!status.ok()) return status;
  auto schema = AttributeSchema::make(std::move(attributes));
  if (!schema.ok()) return bad_input(message_of(schema.status()));
  return schema;
}

}  // namespace bouquet
