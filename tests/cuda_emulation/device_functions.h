// The device functions that nvcc knows without an include: barriers, warp functions, atomics, loads
// with a cache hint, integer and float helpers. Only what the kernels use; add a line where one is missing.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include "tests/cuda_emulation/block.h"

// ThreadSanitizer must not see lanes exchange registers; it must see everything else.
#define EMULATION_HIDDEN __attribute__((no_sanitize("thread"), noinline))

namespace emulation {

template <typename T>
concept Shuffled = std::is_trivially_copyable_v<T> &&(sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);

template <typename T>
struct ShuffleSlot {
  T value, result;
  unsigned source;
  bool reads_outside_mask;

  EMULATION_HIDDEN static void exchange(void* const* lanes) {
    for (unsigned i = 0; i < 32; ++i) {
      auto* slot = static_cast<ShuffleSlot*>(lanes[i]);
      if (slot == nullptr) continue;
      const auto* from = static_cast<const ShuffleSlot*>(lanes[slot->source]);
      slot->reads_outside_mask = from == nullptr;
      if (from != nullptr) slot->result = from->value;
    }
  }
};

template <Shuffled T>
EMULATION_HIDDEN T shuffle(unsigned mask, T value, unsigned source, Location at) {
  ShuffleSlot<T> slot = {value, value, source, false};
  exchange_in_warp(mask, &slot, ShuffleSlot<T>::exchange, at);
  if (slot.reads_outside_mask) misuse("a shuffle reads from a lane that is not in the mask", at);
  return slot.result;
}

template <typename T, typename Combine>
struct ReduceSlot {
  T value;

  EMULATION_HIDDEN static void exchange(void* const* lanes) {
    ReduceSlot* first = nullptr;
    for (unsigned i = 0; i < 32; ++i) {
      auto* slot = static_cast<ReduceSlot*>(lanes[i]);
      if (slot == nullptr) continue;
      if (first == nullptr)
        first = slot;
      else
        first->value = Combine{}(first->value, slot->value);
    }
    for (unsigned i = 0; i < 32; ++i)
      if (lanes[i] != nullptr) static_cast<ReduceSlot*>(lanes[i])->value = first->value;
  }
};

template <typename Combine, typename T>
EMULATION_HIDDEN T reduce(unsigned mask, T value, Location at) {
  ReduceSlot<T, Combine> slot = {value};
  exchange_in_warp(mask, &slot, ReduceSlot<T, Combine>::exchange, at);
  return slot.value;
}

struct Add {
  template <typename T>
  EMULATION_HIDDEN T operator()(T a, T b) const {
    return a + b;
  }
};
struct Min {
  template <typename T>
  EMULATION_HIDDEN T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};
struct Max {
  template <typename T>
  EMULATION_HIDDEN T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};
struct And {
  template <typename T>
  EMULATION_HIDDEN T operator()(T a, T b) const {
    return a & b;
  }
};
struct Or {
  template <typename T>
  EMULATION_HIDDEN T operator()(T a, T b) const {
    return a | b;
  }
};
struct Xor {
  template <typename T>
  EMULATION_HIDDEN T operator()(T a, T b) const {
    return a ^ b;
  }
};

// *at = update(*at), atomically and relaxed as in CUDA. Returns the old value.
template <typename T, typename Update>
T atomic_update(T* at, Update update) {
  T old, wanted;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do wanted = update(old);
  while (!__atomic_compare_exchange(at, &old, &wanted, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}

template <typename T, typename... U>
concept OneOf = (std::same_as<T, U> || ...);
template <typename T>
concept AtomicInteger = OneOf<T, int, unsigned, unsigned long long>;
template <typename T>
using Same = std::type_identity_t<T>;

}  // namespace emulation

#define EMULATION_AT ::emulation::Location at = ::emulation::Location::current()

inline void __syncthreads(EMULATION_AT) { emulation::sync_block(0, at); }
inline int __syncthreads_count(int predicate, EMULATION_AT) { return emulation::sync_block(predicate, at); }
inline int __syncthreads_or(int predicate, EMULATION_AT) { return emulation::sync_block(predicate, at) != 0; }
inline int __syncthreads_and(int predicate, EMULATION_AT) { return emulation::sync_block(!predicate, at) == 0; }
inline void __syncwarp(unsigned mask = 0xFFFFFFFF, EMULATION_AT) { emulation::sync_warp(mask, at); }
inline void __threadfence() { emulation::memory_fence(); }
inline void __threadfence_block() { emulation::memory_fence(); }

template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, EMULATION_AT) {
  const unsigned segment = emulation::lane() & ~unsigned(width - 1);
  return emulation::shuffle(mask, value, segment | (unsigned(source) & unsigned(width - 1)), at);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATION_AT) {
  const unsigned self = emulation::lane();
  return emulation::shuffle(mask, value, (self & unsigned(width - 1)) < delta ? self : self - delta, at);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATION_AT) {
  const unsigned self = emulation::lane();
  const bool inside = (self & unsigned(width - 1)) + delta < unsigned(width);
  return emulation::shuffle(mask, value, inside ? self + delta : self, at);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32, EMULATION_AT) {
  const unsigned self = emulation::lane(), other = self ^ unsigned(lane_mask);
  return emulation::shuffle(mask, value, other < (self & ~unsigned(width - 1)) + unsigned(width) ? other : self, at);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATION_AT) {
  return emulation::reduce<emulation::Or>(mask, predicate != 0 ? 1u << emulation::lane() : 0u, at);
}
inline int __any_sync(unsigned mask, int predicate, EMULATION_AT) {
  return emulation::reduce<emulation::Or>(mask, int(predicate != 0), at);
}
inline int __all_sync(unsigned mask, int predicate, EMULATION_AT) {
  return emulation::reduce<emulation::And>(mask, int(predicate != 0), at);
}
template <emulation::OneOf<int, unsigned> T>
T __reduce_add_sync(unsigned mask, T value, EMULATION_AT) {
  return emulation::reduce<emulation::Add>(mask, value, at);
}
template <emulation::OneOf<int, unsigned> T>
T __reduce_min_sync(unsigned mask, T value, EMULATION_AT) {
  return emulation::reduce<emulation::Min>(mask, value, at);
}
template <emulation::OneOf<int, unsigned> T>
T __reduce_max_sync(unsigned mask, T value, EMULATION_AT) {
  return emulation::reduce<emulation::Max>(mask, value, at);
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value, EMULATION_AT) {
  return emulation::reduce<emulation::And>(mask, value, at);
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value, EMULATION_AT) { return emulation::reduce<emulation::Or>(mask, value, at); }
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value, EMULATION_AT) {
  return emulation::reduce<emulation::Xor>(mask, value, at);
}

template <typename T>
requires emulation::AtomicInteger<T> || emulation::OneOf<T, float, double> T atomicAdd(T* at, emulation::Same<T> value) {
  return emulation::atomic_update(at, [=](T old) { return T(old + value); });
}
template <emulation::AtomicInteger T>
T atomicSub(T* at, emulation::Same<T> value) {
  return emulation::atomic_update(at, [=](T old) { return old - value; });
}
template <emulation::AtomicInteger T>
T atomicMin(T* at, emulation::Same<T> value) {
  return emulation::atomic_update(at, [=](T old) { return std::min(old, value); });
}
template <emulation::AtomicInteger T>
T atomicMax(T* at, emulation::Same<T> value) {
  return emulation::atomic_update(at, [=](T old) { return std::max(old, value); });
}
template <emulation::AtomicInteger T>
T atomicAnd(T* at, emulation::Same<T> value) {
  return emulation::atomic_update(at, [=](T old) { return old & value; });
}
template <emulation::AtomicInteger T>
T atomicOr(T* at, emulation::Same<T> value) {
  return emulation::atomic_update(at, [=](T old) { return old | value; });
}
template <typename T>
requires emulation::AtomicInteger<T> || emulation::OneOf<T, float> T atomicExch(T* at, emulation::Same<T> value) {
  return emulation::atomic_update(at, [=](T) { return value; });
}
template <emulation::AtomicInteger T>
T atomicCAS(T* at, emulation::Same<T> expected, emulation::Same<T> wanted) {
  __atomic_compare_exchange(at, &expected, &wanted, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}

template <typename T>
T __ldg(const T* at) {
  return *at;
}
template <typename T>
T __ldcs(const T* at) {
  return *at;
}
template <typename T>
T __ldcg(const T* at) {
  return *at;
}
template <typename T>
void __stcs(T* at, emulation::Same<T> value) {
  *at = value;
}
template <typename T>
void __stcg(T* at, emulation::Same<T> value) {
  *at = value;
}

inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(unsigned(x)); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(unsigned(x)) + 1; }
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __expf(float x) { return std::exp(x); }
inline int __vimax3_s32(int a, int b, int c) { return std::max({a, b, c}); }
using std::max;
using std::min;
