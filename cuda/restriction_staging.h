// Sends filters and exclusions to the device, tile by tile, in memory whose size does not depend on how many there are.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/device_array.h"
#include "cuda/rank_plan.h"
#include "cuda/score_kernels.h"
#include "cuda/stream.h"
#include "engine/backend.h"
#include "engine/memory_table.h"

namespace bouquet::cuda {

// Queries [first, first + count) of a batch that validate() accepts.
struct QueryRange {
  int64_t first = 0;
  int64_t count = 0;
};

// Rows [first, first + count) of the ranked table; first is a multiple of 64.
struct TileRange {
  int64_t first = 0;
  int64_t count = 0;
};

// Not thread-safe. `stream` outlives it and is waited for before it is destroyed.
class RestrictionStaging {
 public:
  RestrictionStaging(const RankPlan& plan, const Stream& stream);
  static void count_memory(const RankPlan& plan, MemoryTable& table);

  // Begins with a range of queries: its tiles follow in ascending order.
  void begin(const QueryBatch& queries, QueryRange range);

  // Sends the filters' bits of the tile and names them in `to`. To be called before score_tile().
  void send_filters(TileRange tile, ScoreTile& to);

  // Marks the tile's excluded rows. To be called after score_tile().
  void mark_exclusions(TileRange tile, float* bounds, int64_t pitch);

 private:
  // Two of each, in turn: one is filled while the device may still read the other.
  template <typename T>
  struct Stage {
    Stage(int64_t size, const Stream& stream) : host(size), device(size, stream) {}
    PinnedArray<T> host;
    DeviceArray<T> device;
    Event sent;
  };
  template <typename T>
  struct Stages {
    Stages(int64_t size, const Stream& stream) : stages{Stage<T>(size, stream), Stage<T>(size, stream)} {}
    Stage<T> stages[2];
    int turn = 0;
    // The stage to fill next, when the device has read what it held.
    Stage<T>& next() {
      turn ^= 1;
      stages[turn].sent.synchronize();
      return stages[turn];
    }
  };

  void number_filters();
  void flush(Stage<Exclusion>& stage, int64_t count, float* bounds, int64_t pitch);

  const RankPlan plan_;
  const Stream& stream_;
  const QueryBatch* queries_ = nullptr;
  QueryRange range_;
  std::vector<int32_t> filters_;    // of the batch, those that this range asks for
  std::vector<int64_t> next_;       // per query: where in its exclusions the next tile begins
  PinnedArray<int32_t> filter_of_;  // per query: place in filters_, or kNone
  DeviceArray<int32_t> device_filter_of_;
  Event filter_of_sent_;
  Stages<uint64_t> words_;
  Stages<Exclusion> exclusions_;
};

}  // namespace bouquet::cuda
