// Splits [0, count) into one range per thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

namespace bouquet::training {

// How many threads `wanted` means: 0 is all there are, at most 16 (reading is bound by memory).
inline int thread_count(int wanted) {
  if (wanted > 0) return wanted;
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 16u));
}

// Calls work(part, begin, end) on each thread's range, and waits for all. A range that is shared out has `least` or more.
template <typename Work>
void parallel_ranges(int64_t count, int threads, const Work& work, int64_t least = 4096) {
  const int64_t parts = std::clamp<int64_t>(count / least, 1, threads);
  std::vector<std::jthread> others;
  for (int64_t part = 1; part < parts; ++part)
    others.emplace_back([&work, part, count, parts] { work(static_cast<int>(part), count * part / parts, count * (part + 1) / parts); });
  work(0, int64_t{0}, count / parts);
}

}  // namespace bouquet::training
