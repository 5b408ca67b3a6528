// How events stand in the store: bytes of keys and values (docs/formats.md). Keys sort as their numbers do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/event_store/stored_event.h"

namespace bouquet::server {

inline constexpr size_t kCustomerKeyBytes = 8;
inline constexpr size_t kEventKeyBytes = 24;

void append_fixed64(uint64_t number, std::string& out);  // big-endian
uint64_t fixed64_at(const char* bytes);
void append_varint(uint64_t number, std::string& out);  // as protobuf's
// Takes it from the front of `bytes`. False: there is none.
bool take_varint(std::string_view& bytes, uint64_t& number);

// [24]: customer, time (order-preserving), sequence.
std::string event_key(CustomerNumber customer, int64_t time, uint64_t sequence);

// The parts of a key of kEventKeyBytes.
inline CustomerNumber customer_of_key(std::string_view key) { return fixed64_at(key.data()); }
inline int64_t time_of_key(std::string_view key) { return static_cast<int64_t>(fixed64_at(key.data() + 8) ^ (uint64_t{1} << 63)); }
inline uint64_t sequence_of_key(std::string_view key) { return fixed64_at(key.data() + 16); }

// Everything of an event that is not in its key.
void append_event_value(const StoredEvent& event, std::string& out);
// Fills all but time and sequence. False: damaged.
bool parse_event_value(std::string_view value, StoredEvent& event);

}  // namespace bouquet::server
