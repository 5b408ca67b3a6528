#include "server/event_store/event_keys.h"

#include <bit>
#include <cstring>

namespace bouquet::server {
namespace {

static_assert(std::endian::native == std::endian::little);

// The first byte of a value: what follows the item and the type, in this order. Without kHasValue the value is 1.
constexpr unsigned kHasValue = 1, kHasPrice = 2, kHasBasket = 4, kHasRecommendation = 8, kHasPlacement = 16;
constexpr unsigned kAllHolds = 31;

void append_text(const std::string& text, std::string& out) {
  append_varint(text.size(), out);
  out += text;
}

bool take_text(std::string_view& bytes, std::string& text) {
  uint64_t size = 0;
  if (!take_varint(bytes, size) || size > bytes.size()) return false;
  text.assign(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return true;
}

template <typename Number>
bool take_raw(std::string_view& bytes, Number& number) {
  if (bytes.size() < sizeof number) return false;
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return true;
}

bool take_index(std::string_view& bytes, int32_t& index) {
  uint64_t number = 0;
  if (!take_varint(bytes, number) || number > INT32_MAX) return false;
  index = static_cast<int32_t>(number);
  return true;
}

}  // namespace

void append_fixed64(uint64_t number, std::string& out) {
  const uint64_t big = __builtin_bswap64(number);
  out.append(reinterpret_cast<const char*>(&big), sizeof big);
}

uint64_t fixed64_at(const char* bytes) {
  uint64_t big;
  std::memcpy(&big, bytes, sizeof big);
  return __builtin_bswap64(big);
}

void append_varint(uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

bool take_varint(std::string_view& bytes, uint64_t& number) {
  number = 0;
  for (size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    number |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte >= 0x80) continue;
    bytes.remove_prefix(i + 1);
    return true;
  }
  return false;
}

std::string event_key(CustomerNumber customer, int64_t time, uint64_t sequence) {
  std::string key;
  key.reserve(kEventKeyBytes);
  append_fixed64(customer, key);
  append_fixed64(static_cast<uint64_t>(time) ^ (uint64_t{1} << 63), key);
  append_fixed64(sequence, key);
  return key;
}

void append_event_value(const StoredEvent& event, std::string& out) {
  const EventDetails& details = event.details;
  const unsigned holds = (event.value != 1 ? kHasValue : 0) | (details.price ? kHasPrice : 0) |
                         (details.basket_id.empty() ? 0 : kHasBasket) | (details.recommendation_id.empty() ? 0 : kHasRecommendation) |
                         (details.placement.empty() ? 0 : kHasPlacement);
  out += static_cast<char>(holds);
  append_varint(static_cast<uint64_t>(event.item), out);
  append_varint(static_cast<uint64_t>(event.type), out);
  if (holds & kHasValue) out.append(reinterpret_cast<const char*>(&event.value), sizeof event.value);
  if (holds & kHasPrice) out.append(reinterpret_cast<const char*>(&*details.price), sizeof *details.price);
  if (holds & kHasBasket) append_text(details.basket_id, out);
  if (holds & kHasRecommendation) append_text(details.recommendation_id, out);
  if (holds & kHasPlacement) append_text(details.placement, out);
}

bool parse_event_value(std::string_view value, StoredEvent& event) {
  if (value.empty()) return false;
  const auto holds = static_cast<unsigned char>(value[0]);
  value.remove_prefix(1);
  if (holds > kAllHolds || !take_index(value, event.item) || !take_index(value, event.type)) return false;
  event.value = 1;
  event.details = {};
  if ((holds & kHasValue) && !take_raw(value, event.value)) return false;
  if ((holds & kHasPrice) && !take_raw(value, event.details.price.emplace())) return false;
  if ((holds & kHasBasket) && !take_text(value, event.details.basket_id)) return false;
  if ((holds & kHasRecommendation) && !take_text(value, event.details.recommendation_id)) return false;
  if ((holds & kHasPlacement) && !take_text(value, event.details.placement)) return false;
  return value.empty();
}

}  // namespace bouquet::server
