// Attributes read from bytes, as the map that protobuf would have made of them.
#pragma once

#include <string>
#include <vector>

#include "server/request_attributes.h"

namespace bouquet::server {

inline AttributeMap map_of(const WireAttributes& attributes) {
  using Kind = AttributeValue::Kind;
  AttributeMap out;
  std::vector<std::string_view> texts;
  std::vector<float> vector;
  WireAttributes::Cursor cursor(attributes);
  for (WireAttribute one; cursor.next(one);) {
    v1::AttributeValue value;
    switch (one.kind) {
      case Kind::kMissing: break;
      case Kind::kNumber: value.set_number(one.number); break;
      case Kind::kFlag: value.set_flag(one.number != 0); break;
      case Kind::kText: value.set_text(std::string(one.bytes)); break;
      case Kind::kTexts:
        read_texts(one.bytes, texts);
        value.mutable_texts();
        for (const std::string_view text : texts) value.mutable_texts()->add_values(std::string(text));
        break;
      case Kind::kVector: read_vector(one.bytes, vector); value.mutable_vector()->mutable_values()->Assign(vector.begin(), vector.end());
    }
    out[std::string(one.name)] = value;
  }
  return out;
}

}  // namespace bouquet::server
