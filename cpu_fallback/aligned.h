// Arrays that vector instructions read: aligned to cache lines.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace bouquet::cpu {

template <typename T>
struct CacheAligned {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};

  CacheAligned() = default;
  template <typename U>
  CacheAligned(const CacheAligned<U>&) {}  // NOLINT(google-explicit-constructor): as allocators convert

  T* allocate(size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kAlignment)); }
  void deallocate(T* p, size_t) { ::operator delete(p, kAlignment); }
  friend bool operator==(const CacheAligned&, const CacheAligned&) { return true; }
};

template <typename T>
using AlignedVector = std::vector<T, CacheAligned<T>>;

}  // namespace bouquet::cpu
