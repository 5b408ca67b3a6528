// Attributes as protobuf has them and as the engine reads them.
#pragma once

#include <string_view>
#include <vector>

#include "bouquet/v1/recommendations.pb.h"
#include "engine/attribute_value.h"

namespace bouquet::server {

// Borrows from `said`, and `texts` for as long as the value is used. Nothing set: missing.
inline AttributeValue attribute_value(const v1::AttributeValue& said, std::vector<std::string_view>& texts) {
  switch (said.value_case()) {
    case v1::AttributeValue::kNumber: return AttributeValue::of_number(said.number());
    case v1::AttributeValue::kFlag: return AttributeValue::of_flag(said.flag());
    case v1::AttributeValue::kText: return AttributeValue::of_text(said.text());
    case v1::AttributeValue::kTexts:
      texts.assign(said.texts().values().begin(), said.texts().values().end());
      return AttributeValue::of_texts(texts);
    case v1::AttributeValue::kVector:
      return AttributeValue::of_vector({said.vector().values().data(), static_cast<size_t>(said.vector().values_size())});
    case v1::AttributeValue::VALUE_NOT_SET: break;
  }
  return {};
}

}  // namespace bouquet::server
