#include "server/process_metrics.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace bouquet::server {

ProcessUse process_use() {
  ProcessUse use;
  std::string stat;
  std::getline(std::ifstream("/proc/self/stat"), stat);
  // The second field is a name in parentheses that may hold anything; the third begins after the last ')' (proc(5)).
  if (const size_t end = stat.rfind(')'); end != std::string::npos) {
    std::istringstream rest(stat.substr(end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) rest >> skipped;
    double user = 0, system = 0;
    rest >> user >> system;
    use.cpu_seconds = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    for (int field = 16; field < 20; ++field) rest >> skipped;
    rest >> use.threads;
  }
  int64_t pages = 0;
  std::ifstream statm("/proc/self/statm");
  statm >> pages >> pages;
  use.resident_bytes = pages * sysconf(_SC_PAGESIZE);
  std::error_code ignored;
  for (auto at = std::filesystem::directory_iterator("/proc/self/fd", ignored); at != std::filesystem::directory_iterator();
       at.increment(ignored))
    ++use.open_files;
  return use;
}

}  // namespace bouquet::server
