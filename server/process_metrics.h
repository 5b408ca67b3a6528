// What this process uses, from /proc.
#pragma once

#include <cstdint>

namespace bouquet::server {

struct ProcessUse {
  double cpu_seconds = 0;  // user and system
  int64_t resident_bytes = 0;
  int64_t open_files = 0;
  int64_t threads = 0;
};

ProcessUse process_use();

}  // namespace bouquet::server
