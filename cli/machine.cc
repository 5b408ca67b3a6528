#include "cli/machine.h"

#include <sched.h>
#include <sys/resource.h>

#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

namespace bouquet::cli {
namespace {

constexpr std::array<std::string_view, 12> kFeaturesThatMatter = {"sse4_2",   "avx",         "avx2",        "fma",      "f16c",  "avx512f",
                                                                  "avx512bw", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "sve"};

// The value of the first line "key : value" of /proc/cpuinfo.
std::string cpuinfo_value(const std::filesystem::path& root, std::string_view key) {
  std::ifstream file(root / "proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const size_t colon = line.find(": ");
    if (colon != std::string::npos && line.substr(0, line.find_last_not_of("\t ", colon - 1) + 1) == key) return line.substr(colon + 2);
  }
  return {};
}

int64_t meminfo_bytes(const std::filesystem::path& root, const std::string& key) {
  std::ifstream file(root / "proc/meminfo");
  std::string name;
  int64_t kilobytes = 0;
  for (std::string rest; file >> name >> kilobytes; std::getline(file, rest))
    if (name == key + ":") return kilobytes * 1024;
  return 0;
}

// cgroup v2: "200000 100000" is two cores, "max 100000" no limit.
double core_quota(const std::filesystem::path& root) {
  std::ifstream file(root / "sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period && period > 0 ? quota / period : 0;
}

int64_t memory_limit(const std::filesystem::path& root) {
  std::ifstream file(root / "sys/fs/cgroup/memory.max");
  int64_t bytes = 0;
  return file >> bytes ? bytes : 0;
}

int32_t usable_cores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int64_t open_file_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<int64_t>(limit.rlim_cur) : 0;
}

}  // namespace

Machine read_machine(const std::filesystem::path& root) {
  Machine machine;
  machine.cpu_model = cpuinfo_value(root, "model name");
  if (machine.cpu_model.empty()) machine.cpu_model = "unknown";
  std::string flags = cpuinfo_value(root, "flags");
  if (flags.empty()) flags = cpuinfo_value(root, "Features");  // as Arm calls them
  std::istringstream words(flags);
  std::set<std::string, std::less<>> present;
  for (std::string word; words >> word;) present.insert(word);
  for (const std::string_view feature : kFeaturesThatMatter)
    if (present.contains(feature)) machine.cpu_features.emplace_back(feature);
  machine.usable_cores = usable_cores();
  machine.core_quota = core_quota(root);
  machine.memory_bytes = meminfo_bytes(root, "MemTotal");
  machine.memory_available_bytes = meminfo_bytes(root, "MemAvailable");
  machine.memory_limit_bytes = memory_limit(root);
  machine.open_file_limit = open_file_limit();
  return machine;
}

}  // namespace bouquet::cli
