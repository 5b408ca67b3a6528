// How the limit on open files (ulimit -n) is divided: what connections take the store cannot open, and the other way round.
#pragma once

#include <cstdint>

namespace bouquet::server {

struct FileShares {
  int32_t connections = 0;  // at a time
  int32_t store = 0;        // sorted files that RocksDB keeps open; it opens the others when it reads them
  // What is left is for logs, models that are being loaded, listeners and gRPC's own.
};

// Of a limit of so many files. Together no more than that, unless it is too small for a server.
FileShares file_shares(int64_t limit);
// Of this process's limit now.
FileShares file_shares();

}  // namespace bouquet::server
