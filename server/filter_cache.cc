#include "server/filter_cache.h"

namespace bouquet::server {

FilterCache::Bitmap FilterCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  if (found == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->second;
}

void FilterCache::add(const std::string& key, Bitmap bitmap) {
  const std::lock_guard lock(mutex_);
  if (capacity_ == 0 || places_.contains(key)) return;
  if (entries_.size() == capacity_) {
    places_.erase(entries_.back().first);
    entries_.pop_back();
  }
  entries_.emplace_front(key, std::move(bitmap));
  places_[key] = entries_.begin();
}

}  // namespace bouquet::server
