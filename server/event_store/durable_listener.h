// What has just become durable, told to whoever keeps something up to date with the store.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "server/event_store/commit_queue.h"
#include "server/event_store/erasure_table.h"
#include "server/event_store/stored_event.h"

namespace bouquet::server {

struct DurableEvent {
  CustomerNumber customer = 0;
  std::string_view customer_id;
  std::string_view item_id;
  std::string_view type;
  StoredEvent event;
};

struct DurableAttributes {
  CustomerNumber customer = 0;
  uint64_t sequence = 0;
  const NewAttributes* said = nullptr;
};

// Everything of the customer from before has gone.
struct DurableErasure {
  CustomerNumber customer = 0;  // that the id had; 0: the store had met nobody of that id
  std::string_view customer_id;
  Erasure erasure;
};

// The two are one person from now on.
struct DurableMerge {
  std::string_view from_customer_id, into_customer_id;
  uint64_t sequence = 0;
};

// They are two again.
struct DurableUnmerge {
  std::string_view from_customer_id, into_customer_id;
  uint64_t sequence = 0;
};

// One group commit; everything in it is alive during the call. Each kind is in order of its sequence; erasures stand alone, all ids of a
// person under one sequence, and so does a merge or what takes one back.
struct DurableGroup {
  std::span<const DurableEvent> events;
  std::span<const DurableAttributes> attributes;
  std::span<const DurableErasure> erasures;
  std::span<const DurableMerge> merges;
  std::span<const DurableUnmerge> unmerges;
  uint64_t newest_sequence = 0;
};

using DurableListener = std::function<void(const DurableGroup&)>;

}  // namespace bouquet::server
