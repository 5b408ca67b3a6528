#include "server/unread_answers.h"

#include <vector>

namespace bouquet::server {

void UnreadAnswers::add(Stream& stream, int64_t bytes) {
  std::vector<Stream*> given_up;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = of_stream_.try_emplace(&stream);
    if (is_new) place->second = entries_.insert(entries_.end(), {.stream = &stream, .bytes = 0, .given_up = false});
    Entry& entry = *place->second;
    entry.bytes += bytes;
    if (!entry.given_up) bytes_ += bytes;
    for (auto oldest = entries_.begin(); bytes_ > most_bytes_ && oldest != entries_.end(); ++oldest) {
      if (oldest->given_up) continue;
      oldest->given_up = true;
      bytes_ -= oldest->bytes;
      oldest->stream->hold();
      given_up.push_back(oldest->stream);
    }
  }
  for (Stream* one : given_up) one->give_up();  // which may call remove() at once
}

void UnreadAnswers::remove(Stream& stream, int64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto place = of_stream_.find(&stream);
  Entry& entry = *place->second;
  entry.bytes -= bytes;
  if (!entry.given_up) bytes_ -= bytes;
  if (entry.bytes > 0) return entries_.splice(entries_.end(), entries_, place->second);
  entries_.erase(place->second);
  of_stream_.erase(place);
}

}  // namespace bouquet::server
