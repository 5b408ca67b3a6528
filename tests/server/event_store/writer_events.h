// What the writer process sends and its test looks for: event i of client c, for i = 1, 2, ...
#pragma once

#include <string>

namespace bouquet::server {

inline constexpr int kWriterClients = 4;
inline constexpr int kWriterBatch = 8;

// Beside them merge i of visitor i into somebody, and every third is taken back again.
inline constexpr int kWriterMerger = kWriterClients;
inline std::string writer_visitor(int i) { return "visitor" + std::to_string(i); }
inline std::string writer_owner(int i) { return "owner" + std::to_string(i % 10); }
inline bool writer_takes_back(int i) { return i % 3 == 0; }

// And word i on an attribute of somebody, the last of which stays.
inline constexpr int kWriterSetter = kWriterMerger + 1;
inline constexpr int kWriterRoles = kWriterSetter + 1;
inline constexpr int kWriterDescribed = 10;
inline constexpr char kWriterAttribute[] = "word";
inline std::string writer_described(int i) { return "described" + std::to_string(i % kWriterDescribed); }

inline std::string writer_customer(int client, int i) { return std::to_string(client) + ":" + std::to_string(i % 50); }
inline std::string writer_item(int i) { return "i" + std::to_string(i % 100); }
inline std::string writer_event_id(int client, int i) { return std::to_string(client) + "-" + std::to_string(i); }

}  // namespace bouquet::server
