#include "server/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

namespace bouquet::server {
namespace {

spdlog::logger& logger() {
  static const auto made = [] {
    auto fresh = std::make_shared<spdlog::logger>("server", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    fresh->set_pattern("time=%Y-%m-%dT%H:%M:%S.%fZ level=%l %v", spdlog::pattern_time_type::utc);
    fresh->flush_on(spdlog::level::info);
    return fresh;
  }();
  return *made;
}

bool is_plain(std::string_view value) {
  for (const char c : value)
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return false;
  return !value.empty();
}

void append_value(std::string& line, std::string_view value) {
  if (is_plain(value)) {
    line.append(value);
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
      line += escaped;
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

std::string log_line(std::string_view event, const LogFields& fields) {
  std::string line = "event=";
  append_value(line, event);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line.append(key);
    line += '=';
    append_value(line, value);
  }
  return line;
}

void log_event(LogLevel level, std::string_view event, const LogFields& fields) {
  const auto of_spdlog = level == LogLevel::kInfo      ? spdlog::level::info
                         : level == LogLevel::kWarning ? spdlog::level::warn
                                                       : spdlog::level::err;
  logger().log(of_spdlog, "{}", log_line(event, fields));
}

}  // namespace bouquet::server
