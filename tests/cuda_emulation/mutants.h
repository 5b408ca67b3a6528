// What .ci/mutate_kernels makes of device code: every comparison, barrier, minimum, maximum and complement has a number, and the one that
// the environment variable MUTANT names is another one (or none). So one compilation holds all mutants. `a < b` becomes `a <
// mutants::Less<7>{} > b`, which binds as tightly as before. What a compiler computes itself is never changed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <type_traits>

namespace mutants {

inline const int chosen = [] {
  const char* number = std::getenv("MUTANT");
  return number == nullptr ? 0 : std::atoi(number);
}();

template <int kNumber>
[[gnu::always_inline]] constexpr bool changed() {
  return !std::is_constant_evaluated() && chosen == kNumber;
}

template <int kNumber>
struct Less {};
template <int kNumber>
struct LessOrEqual {};
template <int kNumber>
struct Greater {};
template <int kNumber>
struct GreaterOrEqual {};
template <int kNumber>
struct Equal {};
template <int kNumber>
struct Unequal {};

template <typename Comparison, typename T>
struct Left {
  T value;
};

template <typename T, template <int> typename Comparison, int kNumber>
[[gnu::always_inline]] constexpr Left<Comparison<kNumber>, T> operator<(T left, Comparison<kNumber>) {
  return {left};
}
template <typename T, template <int> typename Comparison, int kNumber>
[[gnu::always_inline]] constexpr Left<Comparison<kNumber>, T> operator==(T left, Comparison<kNumber>) {
  return {left};
}

template <int kNumber, typename T, typename U>
[[gnu::always_inline]] constexpr bool operator>(Left<Less<kNumber>, T> left, U right) {
  return changed<kNumber>() ? left.value <= right : left.value < right;
}
template <int kNumber, typename T, typename U>
[[gnu::always_inline]] constexpr bool operator>(Left<LessOrEqual<kNumber>, T> left, U right) {
  return changed<kNumber>() ? left.value < right : left.value <= right;
}
template <int kNumber, typename T, typename U>
[[gnu::always_inline]] constexpr bool operator>(Left<Greater<kNumber>, T> left, U right) {
  return changed<kNumber>() ? left.value >= right : left.value > right;
}
template <int kNumber, typename T, typename U>
[[gnu::always_inline]] constexpr bool operator>(Left<GreaterOrEqual<kNumber>, T> left, U right) {
  return changed<kNumber>() ? left.value > right : left.value >= right;
}
template <int kNumber, typename T, typename U>
[[gnu::always_inline]] constexpr bool operator==(Left<Equal<kNumber>, T> left, U right) {
  return changed<kNumber>() != (left.value == right);
}
template <int kNumber, typename T, typename U>
[[gnu::always_inline]] constexpr bool operator==(Left<Unequal<kNumber>, T> left, U right) {
  return changed<kNumber>() != (left.value != right);
}

// One of two functions of two arguments: min(a, b) becomes either<7>(<min>, <max>, a, b).
template <int kNumber, typename One, typename Other, typename T, typename U>
[[gnu::always_inline]] constexpr auto either(One one, Other other, T a, U b) {
  return changed<kNumber>() ? other(a, b) : one(a, b);
}

// A complement that is none: the number itself.
template <int kNumber>
struct Complement {
  uint32_t of;
};
template <int kNumber>
[[gnu::always_inline]] constexpr uint32_t operator-(Complement<kNumber> complement, uint32_t number) {
  return changed<kNumber>() ? number : complement.of - number;
}

}  // namespace mutants
