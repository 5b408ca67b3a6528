#include "server/used_attributes.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace bouquet::server {
namespace {

// What the encoder made of a number, undone.
double number_of(const NumberTransform& t, float encoded) {
  const double y = double{encoded} * t.deviation + t.mean;
  return t.log1p ? std::copysign(std::expm1(std::fabs(y)), y) : y;
}

double dense_value(const Attribute& attribute, float encoded) {
  if (const auto* number = std::get_if<NumberTransform>(&attribute.transform)) return number_of(*number, encoded);
  const auto* vector = std::get_if<VectorTransform>(&attribute.transform);
  return vector == nullptr || vector->scale == 0 ? double{encoded} : double{encoded} / double{vector->scale};
}

void add_column(std::string name, double value, v1::UsedAttribute* used) {
  v1::UsedAttribute::Column* column = used->add_columns();
  column->set_name(std::move(name));
  column->set_value(value);
}

}  // namespace

void add_used_attributes(const AttributeSchema& schema, const EncodedRow& row, v1::Profile* profile) {
  for (size_t a = 0; a < schema.attributes().size(); ++a) {
    const Attribute& attribute = schema.attributes()[a];
    const AttributeSchema::Place& place = schema.place(a);
    if (std::ranges::binary_search(row.columns, place.missing())) continue;
    v1::UsedAttribute* used = profile->add_attributes();
    used->set_name(attribute.name);
    used->set_type(std::string(attribute_type_name(attribute.type())));
    for (int32_t c = place.dense; c < place.dense + place.dense_count; ++c)
      add_column(schema.column_name(c), dense_value(attribute, row.dense[static_cast<size_t>(c)]), used);
    const auto first = std::ranges::lower_bound(row.columns, place.sparse);
    for (auto at = first; at != row.columns.end() && *at < place.missing(); ++at)
      add_column(schema.column_name(*at), double{row.values[static_cast<size_t>(at - row.columns.begin())]}, used);
    if (attribute.type() == AttributeType::kFlag && used->columns().empty()) add_column(schema.column_name(place.sparse), 0, used);
  }
}

}  // namespace bouquet::server
