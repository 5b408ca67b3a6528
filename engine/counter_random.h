// Random numbers that are a pure function of their position: the same for any order of evaluation.
#pragma once

#include <cstdint>

namespace bouquet {

// Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators": the finaliser of SplitMix64.
inline uint64_t mix_bits(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

inline uint64_t random_bits(uint64_t seed, uint64_t position) {
  return mix_bits(mix_bits(seed) ^ mix_bits(position + 0x5851f42d4c957f2du));
}

// In [0, 1), 53 bits.
inline double random_unit(uint64_t seed, uint64_t position) { return static_cast<double>(random_bits(seed, position) >> 11) * 0x1p-53; }

// In [0, bound), bound > 0: Lemire's multiplication (its bias, at most bound / 2^32, does not matter here).
inline uint32_t random_below(uint32_t bits, uint32_t bound) { return static_cast<uint32_t>((static_cast<uint64_t>(bits) * bound) >> 32); }

}  // namespace bouquet
