// What this machine is, as the kernel tells it: for `bouquet doctor`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bouquet::cli {

struct Machine {
  std::string cpu_model;                  // "unknown" where /proc does not say
  std::vector<std::string> cpu_features;  // of those that change which code runs, in the order below
  int32_t usable_cores = 0;               // that this process may run on
  double core_quota = 0;                  // cores a container is given; 0: no limit
  int64_t memory_bytes = 0;
  int64_t memory_available_bytes = 0;
  int64_t memory_limit_bytes = 0;  // a container's; 0: no limit
  int64_t open_file_limit = 0;
};

// Reads the machine whose /proc and /sys are under `root`; a file that is missing or odd leaves its fields as they are above.
Machine read_machine(const std::filesystem::path& root = "/");

}  // namespace bouquet::cli
