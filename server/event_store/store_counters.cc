#include "server/event_store/store_counters.h"

#include <rocksdb/db.h>

#include "engine/errors.h"
#include "server/event_store/event_keys.h"

namespace bouquet::server {

absl::StatusOr<StoreCounters> read_counters(const StoreDatabase& database) {
  std::string value;
  const rocksdb::Status found =
      database.rocks().Get({}, database.family(Family::kCounters), {kCountersKey.data(), kCountersKey.size()}, &value);
  if (found.IsNotFound()) return StoreCounters{};
  if (!found.ok()) return of_rocks(found);
  if (value.size() != 32) return bad_input("the store: its counters are damaged");
  return StoreCounters{.sequence = fixed64_at(value.data()),
                       .last_customer = fixed64_at(value.data() + 8),
                       .events = fixed64_at(value.data() + 16),
                       .customers = fixed64_at(value.data() + 24)};
}

std::string encode(const StoreCounters& counters) {
  std::string value;
  for (const uint64_t counter : {counters.sequence, counters.last_customer, counters.events, counters.customers})
    append_fixed64(counter, value);
  return value;
}

}  // namespace bouquet::server
