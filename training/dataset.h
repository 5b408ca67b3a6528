// What readers make of event and item files: dense columns of events, ids, titles, and a report of everything that was not used.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/artifact.h"
#include "engine/catalog.h"
#include "engine/event_rules.h"
#include "engine/id_map.h"
#include "training/attribute_files.h"

namespace bouquet::training {

// One entry per usable row, by columns. After reading: ordered by customer, then time, then event id, then file position;
// rows without a customer (customer = kNone) come first, in time order.
struct EventLog {
  std::vector<CustomerIndex> customers;
  std::vector<ItemIndex> items;
  std::vector<int64_t> times;    // microseconds since 1970; empty where the files have no time
  std::vector<float> values;     // never 0; negative is a return
  std::vector<uint8_t> types;    // position in Dataset::rules.types
  std::vector<int32_t> baskets;  // dense basket number, kNone for none; empty where the files have no baskets

  int64_t size() const { return static_cast<int64_t>(customers.size()); }
  bool has_times() const { return !times.empty(); }
  bool has_baskets() const { return !baskets.empty(); }
};

struct BadRow {
  std::string message;  // "orders.csv:17: column quantity: 'abc' is not a number"
};

// Counts of what was read and what was not used; nothing disappears in silence.
struct ReadReport {
  int64_t rows = 0;               // data rows seen in all files
  int64_t events = 0;             // rows that became events
  int64_t anonymous = 0;          // rows without a customer that became events for baskets and popularity
  int64_t dropped_customers = 0;  // rows of --drop-customers
  int64_t filtered = 0;           // rows that --where left out
  int64_t zero_values = 0;
  int64_t unknown_types = 0;          // events of a store whose type is not registered
  int64_t erased = 0;                 // events of customers whom the store's server has erased since
  int64_t repeated = 0;               // rows equal to an earlier one in every column read (--distinct)
  int64_t returns = 0;                // events with a negative value or a returning type
  int64_t unknown_items = 0;          // rows of item files whose item no event has
  int64_t item_columns_left_out = 0;  // columns of item files past kMaxCatalogColumns: not to be filtered by
  int64_t future = 0;                 // events that are dated after the reading began
  int64_t newest = 0;                 // of those, microseconds since 1970
  int64_t bad_rows = 0;
  std::vector<BadRow> first_bad_rows;         // the first 20
  std::vector<std::string> suspected_robots;  // customers over 100 times the median number of events, at most 20
  int64_t suspected_robot_count = 0;
  double seconds = 0;
};

struct Dataset {
  IdMap customers;
  IdMap items;  // items of events first, in order of first sight; then, where attributes are read, those that only an item file knows
  int32_t basket_count = 0;
  EventLog events;
  EventRules rules;  // types as registered; caps and T are fixed later, from the part that is trained on (interactions_builder.h)
  Catalog catalog;   // rows are ItemIndex of `items`
  EntityAttributes customer_attributes, item_attributes;  // rows are CustomerIndex, ItemIndex; an empty schema where there are none
  std::vector<uint8_t> listed_items;                      // [items] whether an item file has the item; empty where attributes are not read
  ReadReport report;
  int64_t read_at = 0;               // microseconds since 1970, when reading began: what happens later is not in it
  std::vector<std::string> sources;  // file names without folders; "store"
  StorePart store;                   // what was read of a store
};

}  // namespace bouquet::training
