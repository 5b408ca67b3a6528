// Structured logs: one line per event on stderr, `key=value` pairs. Never a customer's id.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bouquet::server {

enum class LogLevel { kInfo, kWarning, kError };

using LogFields = std::vector<std::pair<std::string_view, std::string>>;

// log_event(LogLevel::kInfo, "model.loaded", {{"version", v}}): time=... level=info event=model.loaded version=...
// Values with spaces, quotes, '=' or control characters are quoted and escaped. Thread-safe.
void log_event(LogLevel level, std::string_view event, const LogFields& fields);

// The line without its time and level; for tests.
std::string log_line(std::string_view event, const LogFields& fields);

}  // namespace bouquet::server
