// Parses the blocks of one file side by side and takes their results in file order. Each worker alternates between parsing a block of
// its own and, when that block's turn comes, handing it on; so no queue is needed and memory is one block per worker.
#pragma once

#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/errors.h"
#include "training/parallel_ranges.h"
#include "training/table_reader.h"

namespace bouquet::training {

// What `call` returns, or ResourceExhausted where memory ran out.
template <typename Call>
auto within_memory(const Call& call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return no_resource("out of memory while reading events; read fewer files, or use a machine with more");
  }
}

// For each block: parse(worker, block), then take(worker, block) in file order and never two at once. The first error in that order ends
// the run and is returned.
template <typename Parse, typename Take>
absl::Status run_row_pipeline(TableReader& reader, const Projection& projection, int threads, const Parse& parse, const Take& take) {
  std::mutex reading, taking;
  std::condition_variable turn_changed;
  int64_t next_ticket = 0, turn = 0;  // guarded by reading, by taking
  absl::Status result;                // guarded by taking
  bool stopped = false;               // guarded by taking
  const auto work = [&](int worker) {
    for (Block block;;) {
      int64_t ticket = 0;
      absl::StatusOr<bool> more = false;
      {
        const std::lock_guard lock(reading);
        more = within_memory([&] { return reader.next_block(projection, block); });
        ticket = next_ticket++;
      }
      absl::Status status = more.status();
      if (status.ok() && *more) status = within_memory([&] { return parse(worker, block); });
      std::unique_lock lock(taking);
      turn_changed.wait(lock, [&] { return stopped || turn == ticket; });
      if (stopped) return;
      if (status.ok() && *more) status = within_memory([&] { return take(worker, block); });
      if (!status.ok() || !*more) {
        result = status;
        stopped = true;
      }
      ++turn;
      turn_changed.notify_all();
      if (stopped) return;
    }
  };
  {
    std::vector<std::jthread> others;
    for (int worker = 1; worker < threads; ++worker) others.emplace_back(work, worker);
    work(0);
  }
  return result;
}

}  // namespace bouquet::training
