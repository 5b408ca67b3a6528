// What is remembered of an event id: its hash is the key, and the value says what came under it. The id itself is not kept.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/event_store/stored_event.h"

namespace bouquet::server {

struct EventIdEntry {
  uint64_t content = 0;   // of what came under the id
  uint32_t arrived = 0;   // seconds since 1970
  uint64_t sequence = 0;  // of the first arrival
};

// [16] of SHA-256: whoever chooses ids cannot make two of them meet.
using EventIdHash = std::array<char, 16>;

// Of ids of events, and of request ids of changes of attributes: one id in both is two.
EventIdHash hash_of_event_id(std::string_view event_id);
EventIdHash hash_of_request_id(std::string_view request_id);

// Over everything that the caller said; what was left out to be the time of arrival is so in the repetition too.
uint64_t content_of(const NewEvent& event);

void append_event_id_entry(const EventIdEntry& entry, std::string& out);
std::optional<EventIdEntry> parse_event_id_entry(std::string_view value);

}  // namespace bouquet::server
