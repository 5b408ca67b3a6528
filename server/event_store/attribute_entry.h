// The value of an entry of Family::kAttributes, whose key is the customer's number and the attribute's name.
#pragma once

#include <cstdint>
#include <string_view>

#include "bouquet/v1/recommendations.pb.h"
#include "server/event_store/event_keys.h"

namespace bouquet::server {

struct AttributeEntry {
  uint64_t sequence = 0;
  v1::AttributeValue value;  // nothing set: missing
};

// False: damaged.
inline bool parse_attribute_entry(std::string_view bytes, AttributeEntry& entry) {
  return take_varint(bytes, entry.sequence) && entry.value.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace bouquet::server
