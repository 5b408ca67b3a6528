// RocksDB's errors in the server's own log.
#pragma once

#include <rocksdb/env.h>

namespace bouquet::server {

// In place of the file LOG that RocksDB keeps in its folder by itself: on a disk without room, a build with assertions (Debian's) ends the
// process at the second line that cannot be written there.
class RocksLog final : public rocksdb::Logger {
 public:
  RocksLog() : Logger(rocksdb::InfoLogLevel::ERROR_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list values) override;
};

}  // namespace bouquet::server
