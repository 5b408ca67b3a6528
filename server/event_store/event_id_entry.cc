#include "server/event_store/event_id_entry.h"

#include <cstring>

#include "engine/sha256.h"
#include "server/event_store/event_keys.h"

namespace bouquet::server {
namespace {

EventIdHash hash_of(char kind, std::string_view id) {
  std::string text(1, kind);
  text += id;
  const auto digest = sha256(text.data(), text.size());
  EventIdHash hash;
  std::memcpy(hash.data(), digest.data(), hash.size());
  return hash;
}

void append_text(std::string_view text, std::string& out) {
  append_varint(text.size(), out);
  out += text;
}

}  // namespace

EventIdHash hash_of_event_id(std::string_view event_id) { return hash_of('e', event_id); }
EventIdHash hash_of_request_id(std::string_view request_id) { return hash_of('r', request_id); }

uint64_t content_of(const NewEvent& event) {
  thread_local std::string text;
  text.clear();
  for (const std::string_view part :
       {event.customer_id, event.item_id, event.type, event.basket_id, event.recommendation_id, event.placement})
    append_text(part, text);
  text.append(reinterpret_cast<const char*>(&event.value), sizeof event.value);
  text += static_cast<char>((event.time ? 1 : 0) | (event.price ? 2 : 0));
  append_fixed64(static_cast<uint64_t>(event.time.value_or(0)), text);
  const double price = event.price.value_or(0);
  text.append(reinterpret_cast<const char*>(&price), sizeof price);
  const auto digest = sha256(text.data(), text.size());
  return fixed64_at(reinterpret_cast<const char*>(digest.data()));
}

void append_event_id_entry(const EventIdEntry& entry, std::string& out) {
  append_fixed64(entry.content, out);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(entry.arrived >> shift);
  append_varint(entry.sequence, out);
}

std::optional<EventIdEntry> parse_event_id_entry(std::string_view value) {
  if (value.size() < 13) return std::nullopt;
  EventIdEntry entry;
  entry.content = fixed64_at(value.data());
  for (size_t i = 8; i < 12; ++i) entry.arrived = entry.arrived << 8 | static_cast<unsigned char>(value[i]);
  value.remove_prefix(12);
  if (!take_varint(value, entry.sequence) || !value.empty()) return std::nullopt;
  return entry;
}

}  // namespace bouquet::server
