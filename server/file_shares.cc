#include "server/file_shares.h"

#include <sys/resource.h>

#include <algorithm>

namespace bouquet::server {
namespace {

constexpr int64_t kUsualLimit = 1024;
constexpr int64_t kMostFiles = 1 << 20;
constexpr int64_t kOthers = 64;       // neither connections nor sorted files
constexpr int64_t kLeastBeside = 96;  // connections

}  // namespace

FileShares file_shares(int64_t limit) {
  const int64_t files = std::min(limit, kMostFiles);
  const int64_t beside = std::max(kLeastBeside, files / 4);
  return {.connections = static_cast<int32_t>(std::max<int64_t>(1, files - beside)), .store = static_cast<int32_t>(beside - kOthers)};
}

FileShares file_shares() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return file_shares(kUsualLimit);
  return file_shares(static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, kMostFiles)));
}

}  // namespace bouquet::server
