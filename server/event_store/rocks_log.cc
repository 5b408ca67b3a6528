#include "server/event_store/rocks_log.h"

#include <cstdio>
#include <string>
#include <string_view>

#include "server/log.h"

namespace bouquet::server {

void RocksLog::Logv(rocksdb::InfoLogLevel level, const char* format, va_list values) {
  if (level < GetInfoLogLevel() || level > rocksdb::InfoLogLevel::FATAL_LEVEL) return;  // a header is above all levels
  char message[1024];
  std::vsnprintf(message, sizeof message, format, values);
  std::string_view text = message;
  while (text.ends_with('\n')) text.remove_suffix(1);
  log_event(LogLevel::kError, "store.rocksdb", {{"message", std::string(text)}});
}

}  // namespace bouquet::server
