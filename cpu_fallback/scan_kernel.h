// The inner loop of the ranker: integer scores of one block of rows against up to six queries, by the widest instructions of the
// machine (Highway, chosen at run time).
//
// A row is d small integers in [-127, 127], a query d in [-63, 63] stored with kCodeOffset added. Four dimensions are one step;
// dimensions go in chunks of kChunk. Within a chunk the products of dimensions j with j % 4 < 2 are added in one 16-bit lane and
// the others in a second one, modulo 2^16: that is exact as long as both true sums fit, which Cauchy-Schwarz promises when
// the norms of the codes of a lane are at most kRowLaneNorm and kQueryLaneNorm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bouquet::cpu {

inline constexpr int kPanelRows = 16;   // rows that are interleaved
inline constexpr int kBlockRows = 256;  // rows that share a scale
inline constexpr int kGroup = 6;        // queries that are scanned together
inline constexpr int kChunk = 128;      // dimensions per 16-bit sum
inline constexpr int kCodeOffset = 64;
inline constexpr int kRowCodeLimit = 127;
inline constexpr int kQueryCodeLimit = 63;
inline constexpr double kRowLaneNorm = 208;
inline constexpr double kQueryLaneNorm = 157;
static_assert(kRowLaneNorm * kQueryLaneNorm <= 32767);
static_assert(2 * (kCodeOffset + kQueryCodeLimit) * kRowCodeLimit <= 32767, "a pair of products must not saturate");

// Layout of a block: panel p holds rows 16 p .. 16 p + 15 as [step][row][4 dimensions]; its sums as [chunk][row][2 lanes].
struct ScanShape {
  int padded_dimension = 4;  // d rounded up to a multiple of 4

  int chunk_count() const { return (padded_dimension + kChunk - 1) / kChunk; }
  int64_t block_bytes() const { return static_cast<int64_t>(kBlockRows) * padded_dimension; }
  int64_t block_sums() const { return static_cast<int64_t>(kBlockRows) * 2 * chunk_count(); }
  // Where dimension j of row r stands in its block's codes, and lane sum (chunk, lane) of row r in its block's sums.
  int64_t code_at(int r, int j) const {
    return static_cast<int64_t>(r / kPanelRows) * kPanelRows * padded_dimension + (j / 4) * 64 + (r % kPanelRows) * 4 + j % 4;
  }
  int64_t sum_at(int r, int chunk, int lane) const {
    return static_cast<int64_t>(r / kPanelRows) * 32 * chunk_count() + chunk * 32 + (r % kPanelRows) * 2 + lane;
  }
};

// A row whose integer score reached its query's threshold.
struct Found {
  int32_t position;  // in the table
  int32_t score;
};

struct ScanQuery {
  int32_t threshold = 0;    // rows with score >= threshold are wanted; above -2^31
  int32_t found_count = 0;  // in and out
  Found* found = nullptr;   // appended to: room for kBlockRows + 1 more
};

// One block against a group of queries.
struct ScanJob {
  ScanShape shape;
  const int8_t* codes = nullptr;         // the block, 64-byte aligned
  const int16_t* sums = nullptr;         // per lane, minus the sum of the row's codes; 64-byte aligned
  int32_t first_position = 0;            // of the block's first row
  const uint8_t* query_codes = nullptr;  // [padded_dimension / 4][query_count][4], by pack_query()
  int query_count = 0;                   // 1 to kGroup
  ScanQuery* queries = nullptr;          // [query_count]
};

void scan_block(const ScanJob& job);

// Puts the codes of one query of a group [padded_dimension] where scan_block() reads them.
void pack_query(std::span<const uint8_t> codes, int query, int query_count, uint8_t* packed);

}  // namespace bouquet::cpu
