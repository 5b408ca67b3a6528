#include "server/batch_policy.h"

#include <gtest/gtest.h>

namespace bouquet::server {
namespace {

struct Case {
  int32_t queued, idle_workers, max_batch, expected;
};

TEST(BatchPolicy, Table) {
  for (const Case& c : {
           Case{0, 1, 64, 0},  // nothing waits, nothing to take
           Case{-1, 1, 64, 0},
           Case{1, 1, 64, 1},    // one waits, the backend is idle: it goes
           Case{63, 1, 64, 63},  // everything that waits
           Case{64, 1, 64, 64},
           Case{65, 1, 64, 64},  // up to the largest batch
           Case{1000, 1, 64, 64},
           Case{10, 2, 64, 5},  // idle workers share
           Case{11, 2, 64, 6},
           Case{1, 4, 64, 1},
           Case{1000, 4, 64, 64},
           Case{3, 0, 64, 3},  // the one that asks is idle, whatever the count says
           Case{7, 1, 1, 1},
       })
    EXPECT_EQ(requests_to_take({c.queued, c.idle_workers, c.max_batch}), c.expected)
        << c.queued << " queued, " << c.idle_workers << " idle, at most " << c.max_batch;
}

TEST(BatchPolicy, NeverWaitsWhileAWorkerIsIdle) {
  for (int32_t queued = 1; queued <= 200; ++queued)
    for (int32_t idle = 0; idle <= 8; ++idle) EXPECT_GE(requests_to_take({queued, idle, 64}), 1);
}

}  // namespace
}  // namespace bouquet::server
