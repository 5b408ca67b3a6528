// How a whole family is read through.
#pragma once

#include <rocksdb/options.h>

#include <cstddef>

namespace bouquet::server {

// In the order of all keys, without pushing out of the cache what others need.
inline rocksdb::ReadOptions scan_options() {
  rocksdb::ReadOptions options;
  options.total_order_seek = true;
  options.fill_cache = false;
  options.readahead_size = size_t{2} << 20;
  return options;
}

}  // namespace bouquet::server
