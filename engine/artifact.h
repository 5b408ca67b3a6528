// Everything a published model holds: the mathematics, the ids, and what serving needs beside them. Immutable, cheap to copy
// (arrays are shared), either built by training or mapped from a directory (artifact_files.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/attribute_rows.h"
#include "engine/attribute_schema.h"
#include "engine/calibration.h"
#include "engine/catalog.h"
#include "engine/content_links.h"
#include "engine/event_rules.h"
#include "engine/id_map.h"
#include "engine/model.h"
#include "engine/shared_array.h"
#include "engine/training_options.h"
#include "engine/uncertainty.h"

namespace bouquet {

inline constexpr int64_t kMicrosecondsPerMinute = 60'000'000;

// The customers' merged histories (HistoryEntry by columns): row = CustomerIndex, items ascending. Personal data.
struct Histories {
  SharedArray<int64_t> offsets;       // [customer_count + 1]
  SharedArray<int32_t> items;         // [pair_count]
  SharedArray<float> confidences;     // [pair_count]
  SharedArray<float> targets;         // [pair_count], or empty: every target is 1
  SharedArray<uint8_t> consumed;      // [pair_count] 0 or 1
  SharedArray<float> repurchase;      // [pair_count], 0 where not consumed
  SharedArray<int32_t> counts;        // [pair_count] HistoryEntry::count, 0 where not consumed; or empty: not kept
  SharedArray<float> given = {};      // [pair_count] HistoryEntry::given, or empty: as `confidences`
  SharedArray<float> net = {};        // [pair_count] HistoryEntry::net; or empty: not kept
  SharedArray<int32_t> minutes = {};  // [pair_count] since 1970, HistoryEntry::newest rounded down; or empty: not kept

  // `customer`'s history as it was merged, ascending by item. What is not kept: everything counts as of `reference_time`, and where there
  // are no counts either, as bought once.
  void read(CustomerIndex customer, int64_t reference_time, std::vector<HistoryEntry>& history) const;
};

// The attributes of one side as the training saw them: how they become columns, and the columns. No columns: there are none.
struct EncodedAttributes {
  AttributeSchema schema;
  AttributeTable table;  // rows are the side's
  // Names that the training was given and that are no attributes of the model, ascending: callers who go on sending them are right to. Of
  // customers alone.
  std::vector<std::string> left_out = {};
};

// Which items were bought in one basket: the table behind cross-sell. Partners of an item stand by falling count, then by index.
struct CoPurchases {
  int64_t basket_count = 0;           // baskets of two or more distinct items
  SharedArray<int32_t> item_baskets;  // [item_count] in how many of them the item stands
  SharedArray<int64_t> offsets;       // [item_count + 1]
  SharedArray<int32_t> partners;      // [entries]
  SharedArray<int32_t> counts;        // [entries] baskets with both
};

// How the repurchase head was chosen on the select part.
struct RepurchaseSettings {
  double share = 0;  // of k: how many rows of an answer with include_purchased come from the head, at most. 0: none
};

// A reported figure with its 95 % interval.
struct Metric {
  std::string name;  // "recall@20"
  double value = 0, low = 0, high = 0;
};
struct MetricTable {
  std::string subject;  // "model", "most-popular", "personal-frequency", ...
  std::string repeats;  // exclude, include, only
  int64_t customers = 0;
  std::vector<Metric> metrics;
};

// Which part of a server's store of events a model was trained on.
struct StorePart {
  std::string identity;   // of the store; empty: it was trained on none
  uint64_t sequence = 0;  // everything up to this arrival

  // What it has of the store of that identity: everything up to this arrival; 0: nothing.
  uint64_t sequence_in(std::string_view store) const { return !identity.empty() && identity == store ? sequence : 0; }
};

// How the model came to be: what a person reads, and what `--publish if-better` needs to fit the same recipe again.
struct Recipe {
  TrainingOptions options;
  int32_t epochs = 0;               // chosen on the select part, then used for the refit on everything
  std::string validation = "none";  // the --validation it was chosen with
  int64_t select_time = 0;          // cut times, microseconds; 0: not cut by time
  int64_t judge_time = 0;
  bool distinct = false;
  std::string backend;  // description() of the backend that trained it
  std::string program_version;
  std::vector<std::string> sources;  // the event files' names, without folders
  StorePart store = {};
};

// A version of which another one is a copy with rows of customers taken out, in its place.
struct ReplacedVersion {
  std::string version;
  int64_t time = 0;  // microseconds since 1970: of the replacement
};

struct Artifact {
  std::string version;                    // empty until it is published
  std::string parent;                     // the version that was current when this one was made; may be empty
  int64_t created_at = 0;                 // microseconds since 1970
  std::vector<ReplacedVersion> replaces;  // in a chain, oldest first
  Recipe recipe;
  std::vector<MetricTable> metrics;  // of the fit before the refit, on the judge part
  EventRules rules;
  RepurchaseSettings repurchase;
  Calibration calibration;  // of the fit before the refit, on the judge part; may be without maps
  Model model;
  IdTable customer_ids;                   // [customer_count]
  IdTable item_ids;                       // [item_count]
  Catalog catalog;                        // [item_count]
  Histories histories;                    // [customer_count]
  SharedArray<int32_t> item_customers;    // [item_count] customers with a consumed entry: popularity
  EncodedAttributes customer_attributes;  // [customer_count]; personal data
  EncodedAttributes item_attributes;      // [item_count]
  ContentLinks content_links;             // may be empty: no content path
  Uncertainty uncertainty;                // may be empty
  CoPurchases co_purchases;               // may be without offsets: the data had no baskets

  // Whether it is that version, or of all customers who are left in it answers as that one did.
  bool stands_for(std::string_view wanted) const;
};

// Whether every part fits the others: counts, offsets, indices in range and ascending, finite numbers, kinds, rules.
// Errors: DataLoss, naming the array, the row and the value.
absl::Status validate(const Artifact& artifact);

}  // namespace bouquet
