#include "engine/memory_table.h"

#include <cstdio>
#include <numeric>

#include "engine/errors.h"

namespace bouquet {
namespace {

std::string megabytes(int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%12.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::string line(const std::string& name, int64_t bytes) {
  constexpr size_t kWidth = 36;
  return "  " + name + std::string(name.size() < kWidth ? kWidth - name.size() : 1, ' ') + megabytes(bytes) + "\n";
}

}  // namespace

void MemoryTable::add(const std::string& purpose, int64_t bytes) {
  if (bytes == 0) return;
  for (MemoryUse& use : lines_)
    if (use.purpose == purpose) {
      use.bytes += bytes;
      return;
    }
  lines_.push_back({purpose, bytes});
}

int64_t MemoryTable::total() const {
  return std::accumulate(lines_.begin(), lines_.end(), int64_t{0}, [](int64_t sum, const MemoryUse& use) { return sum + use.bytes; });
}

std::string MemoryTable::text() const {
  std::string text;
  for (const MemoryUse& use : lines_) text += line(use.purpose, use.bytes);
  return text + line("together", total());
}

absl::Status check_fits(const MemoryTable& table, int64_t free_bytes, const std::string& doing, const std::string& advice) {
  if (table.total() <= free_bytes) return absl::OkStatus();
  return no_resource(doing + " needs more memory than the device has free:\n" + table.text() + line("free", free_bytes) + advice);
}

}  // namespace bouquet
