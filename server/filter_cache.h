// The bitmaps of the filters that requests of one model used last, so that a filter is compiled once and not per page view.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace bouquet::server {

// Thread-safe. What was found stays valid when it leaves the cache.
class FilterCache {
 public:
  using Bitmap = std::shared_ptr<const std::vector<uint64_t>>;

  explicit FilterCache(size_t capacity) : capacity_(capacity) {}

  // nullptr if it is not there.
  Bitmap find(const std::string& key);
  // The least recently used leaves where there is no room. A key that is there already keeps its bitmap.
  void add(const std::string& key, Bitmap bitmap);

 private:
  using Entries = std::list<std::pair<std::string, Bitmap>>;  // the most recently used first

  const size_t capacity_;
  std::mutex mutex_;
  Entries entries_;
  absl::flat_hash_map<std::string, Entries::iterator> places_;
};

}  // namespace bouquet::server
