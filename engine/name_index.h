// Names and their positions, made to look up thousands of short names one after the other: everything is small and lies in three arrays.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bouquet {

// At most 2^30 names of together less than 4 GiB.
class NameIndex {
 public:
  // Gives `name` the next position, from 0 on, unless it has one; whether it had none.
  bool add(std::string_view name);

  int32_t find(std::string_view name) const;  // the position, or kNone

 private:
  struct Slot {
    uint32_t hash = 0;
    int32_t position = -1;  // -1: free
  };
  void grow();
  void place(uint32_t hash, int32_t position);
  std::string_view name(int32_t position) const {
    const auto begin = ends_[static_cast<size_t>(position)];
    return std::string_view(bytes_).substr(begin, ends_[static_cast<size_t>(position) + 1] - begin);
  }

  std::vector<Slot> slots_;        // 2^n, at least twice as many as names; a name is in the first free one from its hash on
  std::vector<uint32_t> ends_{0};  // in bytes_, after a 0
  std::string bytes_;
};

}  // namespace bouquet
