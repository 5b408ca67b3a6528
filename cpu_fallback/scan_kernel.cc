#include "cpu_fallback/scan_kernel.h"

#include <cstring>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu_fallback/scan_kernel.cc"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bouquet::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR  // no vectors known: the definition, readable

void scan_any(const ScanJob& job) {
  for (int q = 0; q < job.query_count; ++q)
    for (int r = 0; r < kBlockRows; ++r) {
      int32_t score = 0;
      for (int j = 0; j < job.shape.padded_dimension; ++j)
        score += (job.query_codes[(j / 4 * job.query_count + q) * 4 + j % 4] - kCodeOffset) * job.codes[job.shape.code_at(r, j)];
      ScanQuery& query = job.queries[q];
      if (score >= query.threshold) query.found[query.found_count++] = {job.first_position + r, score};
    }
}

#else

// At most 64 bytes, so that a panel's step is a whole number of vectors.
using U8 = hn::CappedTag<uint8_t, 64>;
using I8 = hn::Repartition<int8_t, U8>;
using I16 = hn::Repartition<int16_t, U8>;
using I32 = hn::Repartition<int32_t, U8>;
using V8 = hn::Vec<U8>;
using VS8 = hn::Vec<I8>;
using V16 = hn::Vec<I16>;
using V32 = hn::Vec<I32>;

// Products of unsigned and signed bytes, neighbours added; never saturates here (scan_kernel.h).
HWY_INLINE V16 multiply_pairs(V8 u, VS8 s) {
#if HWY_TARGET == HWY_AVX2
  return V16{_mm256_maddubs_epi16(u.raw, s.raw)};
#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return V16{_mm512_maddubs_epi16(u.raw, s.raw)};
#elif HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SSE4
  return V16{_mm_maddubs_epi16(u.raw, s.raw)};
#else
  const I16 i16;
  const hn::RebindToUnsigned<I16> u16;
  const V16 a = hn::BitCast(i16, u), b = hn::BitCast(i16, s);
  const V16 a_even = hn::And(a, hn::Set(i16, 0xFF)), a_odd = hn::BitCast(i16, hn::ShiftRight<8>(hn::BitCast(u16, a)));
  const V16 b_even = hn::ShiftRight<8>(hn::ShiftLeft<8>(b)), b_odd = hn::ShiftRight<8>(b);
  return hn::Add(hn::Mul(a_even, b_even), hn::Mul(a_odd, b_odd));
#endif
}

// Neighbouring 16-bit lanes added as 32-bit numbers.
HWY_INLINE V32 add_neighbours(V16 x) {
#if HWY_TARGET == HWY_AVX2
  return V32{_mm256_madd_epi16(x.raw, _mm256_set1_epi16(1))};
#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return V32{_mm512_madd_epi16(x.raw, _mm512_set1_epi16(1))};
#else
  const V32 pair = hn::BitCast(I32(), x);
  return hn::Add(hn::ShiftRight<16>(hn::ShiftLeft<16>(pair)), hn::ShiftRight<16>(pair));
#endif
}

// Scores of two vectors of rows for one query.
struct Pair {
  V32 first, second;
};

// g++ 12 orders the unrolled products so that the sums no longer fit the registers, which costs half of the speed. An empty
// instruction that pretends to change them keeps it from that.
HWY_INLINE void keep_in_registers([[maybe_unused]] V16& a, [[maybe_unused]] V16& b) {
#if HWY_ARCH_X86
  asm("" : "+v"(a.raw), "+v"(b.raw));
#endif
}

struct RowPointers {
  const int8_t* codes;
  const int16_t* sums;
};

HWY_INLINE RowPointers rows_from(const ScanJob& job, int row) {
  return {job.codes + job.shape.code_at(row, 0), job.sums + job.shape.sum_at(row, 0, 0)};
}

// Adds to totals[Q] the products of one chunk: steps [begin, end). Written with constant indices so that all sums stay in
// registers: 12 of 16 with six queries.
template <size_t... Q>
HWY_INLINE void add_chunk(std::index_sequence<Q...>, RowPointers x, RowPointers y, const uint8_t* query_codes, int chunk, int begin,
                          int end, Pair* totals) {
  constexpr size_t kCount = sizeof...(Q);
  const I16 i16;
  const V16 start_x = hn::ShiftLeft<6>(hn::Load(i16, x.sums + chunk * 32)), start_y = hn::ShiftLeft<6>(hn::Load(i16, y.sums + chunk * 32));
  V16 sum_x[kCount], sum_y[kCount];
  ((sum_x[Q] = start_x, sum_y[Q] = start_y), ...);
  for (int step = begin; step < end; ++step) {
    const VS8 row_x = hn::Load(I8(), x.codes + step * 64), row_y = hn::Load(I8(), y.codes + step * 64);
    const auto add = [&](V16& to_x, V16& to_y, const uint8_t* codes) HWY_ATTR {
      int32_t four;
      __builtin_memcpy(&four, codes, 4);
      const V8 u = hn::BitCast(U8(), hn::Set(I32(), four));
      to_x = hn::Add(to_x, multiply_pairs(u, row_x));
      to_y = hn::Add(to_y, multiply_pairs(u, row_y));
      keep_in_registers(to_x, to_y);
    };
    (add(sum_x[Q], sum_y[Q], query_codes + (static_cast<size_t>(step) * kCount + Q) * 4), ...);
  }
  if (chunk == 0) {
    ((totals[Q] = {add_neighbours(sum_x[Q]), add_neighbours(sum_y[Q])}), ...);
  } else {
    ((totals[Q] = {hn::Add(totals[Q].first, add_neighbours(sum_x[Q])), hn::Add(totals[Q].second, add_neighbours(sum_y[Q]))}), ...);
  }
}

HWY_INLINE hn::Mask<I32> reached(const Pair& total, const ScanQuery& query) {
  return hn::Gt(hn::Max(total.first, total.second), hn::Set(I32(), query.threshold - 1));
}

HWY_NOINLINE void append(const Pair& total, int32_t first_position, ScanQuery& query) {
  const I32 i32;
  const int lanes = static_cast<int>(hn::Lanes(i32));
  HWY_ALIGN int32_t scores[2 * hn::MaxLanes(I32())];
  hn::Store(total.first, i32, scores);
  hn::Store(total.second, i32, scores + lanes);
  for (int r = 0; r < 2 * lanes; ++r) {  // without a branch: which rows pass is not predictable
    query.found[query.found_count] = {first_position + r, scores[r]};
    query.found_count += scores[r] >= query.threshold;
  }
}

template <size_t... Q>
void scan(std::index_sequence<Q...> each, const ScanJob& job) {
  const I32 i32;
  const int lanes = static_cast<int>(hn::Lanes(i32));  // rows per vector
  const int chunks = job.shape.chunk_count(), steps = job.shape.padded_dimension / 4;
  for (int row = 0; row < kBlockRows; row += 2 * lanes) {
    const RowPointers x = rows_from(job, row), y = rows_from(job, row + lanes);
    Pair totals[sizeof...(Q)];
    for (int c = 0; c < chunks; ++c)
      add_chunk(each, x, y, job.query_codes, c, c * (kChunk / 4), HWY_MIN((c + 1) * (kChunk / 4), steps), totals);
    hn::Mask<I32> any = reached(totals[0], job.queries[0]);
    ((any = hn::Or(any, reached(totals[Q], job.queries[Q]))), ...);
    if (HWY_LIKELY(hn::AllFalse(i32, any))) continue;  // rare: one test for all queries
    for (size_t q = 0; q < sizeof...(Q); ++q)
      if (!hn::AllFalse(i32, reached(totals[q], job.queries[q]))) append(totals[q], job.first_position + row, job.queries[q]);
  }
}

void scan_any(const ScanJob& job) {
  switch (job.query_count) {
    case 1: return scan(std::make_index_sequence<1>(), job);
    case 2: return scan(std::make_index_sequence<2>(), job);
    case 3: return scan(std::make_index_sequence<3>(), job);
    case 4: return scan(std::make_index_sequence<4>(), job);
    case 5: return scan(std::make_index_sequence<5>(), job);
    default: return scan(std::make_index_sequence<6>(), job);
  }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace bouquet::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bouquet::cpu {

HWY_EXPORT(scan_any);

void scan_block(const ScanJob& job) { HWY_DYNAMIC_DISPATCH(scan_any)(job); }

void pack_query(std::span<const uint8_t> codes, int query, int query_count, uint8_t* packed) {
  for (size_t step = 0; step < codes.size() / 4; ++step)
    std::memcpy(packed + (step * static_cast<size_t>(query_count) + static_cast<size_t>(query)) * 4, codes.data() + step * 4, 4);
}

}  // namespace bouquet::cpu
#endif
