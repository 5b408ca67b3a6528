#include "bench/sync_times.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <utility>
#include <vector>

#include "engine/errors.h"
#include "engine/seconds_since.h"

namespace bouquet::bench {
namespace {

constexpr int kSyncs = 300;

}  // namespace

absl::StatusOr<Spread> measure_syncs(const std::string& folder) {
  using Clock = std::chrono::steady_clock;
  const std::string name = folder + "/syncs";
  const int file = open(name.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return no_resource(folder + ": no file can be made");
  const std::string block(4096, 'x');
  std::vector<double> seconds;
  bool good = true;
  for (int i = 0; i < kSyncs && good; ++i) {
    good = write(file, block.data(), block.size()) == static_cast<ssize_t>(block.size());
    const auto begin = Clock::now();
    good = good && fdatasync(file) == 0;
    seconds.push_back(seconds_since(begin));
  }
  close(file);
  unlink(name.c_str());
  if (!good) return no_resource(name + ": cannot be written");
  return Spread(std::move(seconds));
}

}  // namespace bouquet::bench
