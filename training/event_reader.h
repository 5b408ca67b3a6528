// Reads event files (CSV, JSONL, Parquet; .gz and .zst) and item files into a Dataset, streaming: memory is bounded by the data
// set that is built, not by the files. The formats and the meaning of rows: docs/formats.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/event_rules.h"
#include "training/attribute_settings.h"
#include "training/dataset.h"
#include "training/event_source.h"

namespace bouquet::training {

enum class Anonymous { kDrop, kFail };

struct ReadOptions {
  std::vector<std::string> event_files;     // paths, globs, or "-" (CSV on standard input); may be empty where there is a store
  std::shared_ptr<EventSource> store;       // read besides event files, or alone; may be none
  std::vector<std::string> item_files;      // may be empty
  std::vector<std::string> customer_files;  // attributes; may be empty. Read only if `attributes`
  bool attributes = false;                  // of customers and items: read them too
  AttributeSettings attribute_settings;
  // Canonical column (customer, item, type, time, value, price, basket, event, title, category, kind) -> names in the
  // files, first that exists wins: `customer=Customer ID|CustomerID`. Canonical names always work too.
  std::map<std::string, std::vector<std::string>> columns;
  std::vector<EventType> event_types = built_in_event_types();
  std::string default_event_type = "purchase";
  Anonymous anonymous = Anonymous::kDrop;
  std::vector<std::string> drop_customers;
  std::vector<std::string> where;  // 'column = value' or 'column != value', all must hold, compared as text
  bool distinct = false;           // rows equal in every column read count once
  int64_t max_bad_rows = 0;
  std::string time_zone;  // IANA name of naive times; empty: UTC
  int32_t max_history = 5000;
  std::function<absl::Time()> clock = absl::Now;
  int threads = 0;                       // 0: all cores, at most 16
  size_t block_bytes = size_t{1} << 20;  // of text that is parsed at a time
};

// `customer=household_id,item=product_id` -> map. Errors: InvalidArgument naming the part and the nearest canonical column.
absl::StatusOr<std::map<std::string, std::vector<std::string>>> parse_columns(const std::string& text);

// Errors: NotFound (file, column: with the nearest name), DataLoss (bad rows past the bound, truncated, empty, fewer than two
// items or one customer), InvalidArgument (options). The message names file, line or row group and row, column and value.
absl::StatusOr<Dataset> read_dataset(const ReadOptions& options);

}  // namespace bouquet::training
