// Answers of streams that wait for their reader: bounded over all streams together. gRPC keeps what a caller does not read, and counts it
// to no quota. Past the bound the stream whose reader has done nothing for longest is given up, so that readers who keep up never are.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>

#include "absl/container/flat_hash_map.h"

namespace bouquet::server {

// Thread-safe.
class UnreadAnswers {
 public:
  class Stream {
   public:
    // The stream does not end from now on until give_up() was called. Called under a lock: calls nothing of UnreadAnswers.
    virtual void hold() = 0;
    // Once for each hold(); remove() follows for everything that was added.
    virtual void give_up() = 0;

   protected:
    ~Stream() = default;
  };

  explicit UnreadAnswers(int64_t most_bytes) : most_bytes_(most_bytes) {}

  // `bytes` more wait. Gives up as many streams as it takes, this one too.
  void add(Stream& stream, int64_t bytes);
  // They were read, or never will be. The stream does not end before everything that was added is removed.
  void remove(Stream& stream, int64_t bytes);

 private:
  struct Entry {
    Stream* stream;
    int64_t bytes;
    bool given_up;
  };

  const int64_t most_bytes_;
  std::mutex mutex_;
  int64_t bytes_ = 0;         // of those that are not given up
  std::list<Entry> entries_;  // whose reader has done nothing for longest first
  absl::flat_hash_map<Stream*, std::list<Entry>::iterator> of_stream_;
};

}  // namespace bouquet::server
