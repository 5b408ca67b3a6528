// What device memory is needed for, in bytes: computed before anything is allocated, by the same functions that size the arrays.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace bouquet {

struct MemoryUse {
  std::string purpose;  // "factors", "pairs"
  int64_t bytes = 0;
};

class MemoryTable {
 public:
  // Adds to the purpose's line, or makes it.
  void add(const std::string& purpose, int64_t bytes);
  const std::vector<MemoryUse>& lines() const { return lines_; }
  int64_t total() const;
  // One line per purpose and the total, aligned, in MB.
  std::string text() const;

 private:
  std::vector<MemoryUse> lines_;
};

// ResourceExhausted with the table where its total is more than `free_bytes`. `doing`: "training"; `advice` says what to change.
absl::Status check_fits(const MemoryTable& table, int64_t free_bytes, const std::string& doing, const std::string& advice);

}  // namespace bouquet
