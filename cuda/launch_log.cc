#include "cuda/launch_log.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace bouquet::cuda {
namespace {

bool is_set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != 0;
}

bool log_is_wanted() {
  static const bool wanted = is_set("BOUQUET_LAUNCH_LOG");
  return wanted;
}

bool times_are_wanted() {
  static const bool wanted = is_set("BOUQUET_LAUNCH_TIMES");
  return wanted;
}

// "void bouquet::cuda::(anonymous namespace)::score_kernel<4>(...)" -> "score_kernel"
std::string kernel_name(const void* kernel) {
  const char* mangled = nullptr;
  check(cudaFuncGetName(&mangled, kernel));
  int failed = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable(abi::__cxa_demangle(mangled, nullptr, nullptr, &failed), std::free);
  std::string name = readable == nullptr ? mangled : readable.get();
  constexpr std::string_view kAnonymous = "(anonymous namespace)::";
  if (const size_t at = name.find(kAnonymous); at != std::string::npos) name.erase(at, kAnonymous.size());
  name.resize(std::min(name.size(), name.find_first_of("(<")));
  const size_t scope = name.rfind("::");
  return scope == std::string::npos ? name : name.substr(scope + 2);
}

class LaunchLog {
 public:
  ~LaunchLog() {
    const std::string path = std::getenv("BOUQUET_LAUNCH_LOG");
    std::ofstream file(path, std::ios::trunc);
    for (const auto& [key, sums] : sums_) file << key.first << '\t' << key.second << '\t' << sums.launches << '\t' << sums.seconds << '\n';
    file.flush();
    if (!file) std::fprintf(stderr, "BOUQUET_LAUNCH_LOG: cannot write %s\n", path.c_str());
  }

  void add(const std::string& source, const std::string& kernel, double seconds) {
    const std::lock_guard lock(mutex_);
    Sums& sums = sums_[{source, kernel}];
    ++sums.launches;
    sums.seconds += seconds;
  }

 private:
  struct Sums {
    int64_t launches = 0;
    double seconds = 0;
  };
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Sums> sums_;
};

}  // namespace

LoggedLaunch::LoggedLaunch(const Stream& stream) : stream_(stream) {
  if (!log_is_wanted() || !times_are_wanted()) return;
  begin_.emplace(Timing::kOn).record(stream);
}

void LoggedLaunch::started(const void* kernel, std::source_location at) {
  if (!log_is_wanted()) return;
  static LaunchLog log;
  double seconds = 0;
  if (begin_) {
    Event end(Timing::kOn);
    end.record(stream_);
    end.synchronize();
    seconds = end.seconds_since(*begin_);
  }
  log.add(at.file_name(), kernel_name(kernel), seconds);
}

}  // namespace bouquet::cuda
