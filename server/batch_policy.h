// How many queued requests an idle worker takes. A pure function, so that its table of cases is its test.
#pragma once

#include <algorithm>
#include <cstdint>

namespace bouquet::server {

struct BatchSituation {
  int32_t queued = 0;        // requests that wait
  int32_t idle_workers = 1;  // including the one that asks
  int32_t max_batch = 64;
};

// Never 0 while something waits: delaying a request to fill a batch costs more than it saves, because whatever arrives while a batch
// runs is the next batch. Idle workers share what waits.
constexpr int32_t requests_to_take(const BatchSituation& s) {
  if (s.queued <= 0) return 0;
  const int32_t idle = std::max(s.idle_workers, 1);
  return std::min(s.max_batch, (s.queued + idle - 1) / idle);
}

}  // namespace bouquet::server
