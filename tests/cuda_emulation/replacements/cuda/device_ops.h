// Stands in for cuda/device_ops.h.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tests/cuda_emulation/device_functions.h"

namespace bouquet::cuda {

template <typename T>
T* dynamic_shared() {
  return static_cast<T*>(emulation::dynamic_shared_memory());
}

namespace emulated {

struct Copy {
  void* to;
  const void* from;
  int bytes;
};
struct Copies {
  std::vector<std::vector<Copy>> groups;  // closed ones, oldest first
  std::vector<Copy> open;
};
inline Copies copies_of[1024];  // by thread of the block

inline bool is_aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

}  // namespace emulated

// From here to the wait the 16 bytes may change at any time: garbage now, the data in copy_async_wait().
inline void copy_async(void* to, const void* from, int bytes = 16, EMULATION_AT) {
  if (!emulated::is_aligned(to) || !emulated::is_aligned(from)) emulation::misuse("cp.async needs 16-byte addresses", at);
  for (int i = 0; i < 16; ++i) static_cast<unsigned char*>(to)[i] = 0xFF;
  emulated::copies_of[emulation::thread_in_block()].open.push_back({to, from, bytes});
  ++emulation::unfinished_copies();
}

inline void copy_async_commit() {
  auto& copies = emulated::copies_of[emulation::thread_in_block()];
  copies.groups.push_back(std::move(copies.open));
  copies.open.clear();
}

template <int Pending>
void copy_async_wait() {
  auto& groups = emulated::copies_of[emulation::thread_in_block()].groups;
  while (groups.size() > Pending) {
    for (const auto& copy : groups.front()) {
      for (int i = 0; i < 16; ++i) static_cast<char*>(copy.to)[i] = i < copy.bytes ? static_cast<const char*>(copy.from)[i] : char{0};
      --emulation::unfinished_copies();
    }
    groups.erase(groups.begin());
  }
}

}  // namespace bouquet::cuda
