// Turns the rows of one block into events whose ids are still text: the part of reading that needs nothing but the row, so that
// blocks are parsed side by side.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "training/columns.h"
#include "training/event_reader.h"
#include "training/table_reader.h"
#include "training/time_parser.h"

namespace bouquet::training {

// `column = value`, split.
struct Condition {
  std::string column;  // or several, apart by `|`: the first that the file has
  std::string value;
  bool equal = true;
};
// Errors: InvalidArgument, quoting the text.
absl::StatusOr<Condition> parse_condition(const std::string& text);

// What every row of a run is read by.
struct RowRules {
  EventRules events;
  uint8_t default_type = 0;
  std::unordered_set<std::string> drop_customers;  // as ids are normalised
  std::vector<Condition> where;
  bool distinct = false;
  TimeParser time_parser;

  // Errors: InvalidArgument (event types, --where, --time-zone).
  static absl::StatusOr<RowRules> from(const ReadOptions& options);
};

// Where one file keeps what is read of it. Slots of a row: by Column, then one for each condition.
struct EventFileLayout {
  Projection projection;
  ColumnPlaces places{};
  std::array<std::string, kColumnCount> names;  // as the file calls them

  bool has(Column column) const { return places[static_cast<size_t>(column)] >= 0; }
  // Errors: NotFound (a required column, or one of a condition).
  static absl::StatusOr<EventFileLayout> of(const std::string& file, const TableReader& reader, const ReadOptions& options,
                                            const RowRules& rules);
};

// What a basket's id is known by; never 0.
uint64_t basket_number(std::string_view id);

// Ids with the hashes that IdMap will want.
struct TextIds {
  std::vector<std::string_view> ids;  // empty: none
  std::vector<uint64_t> hashes;
  void add(std::string_view id);
  void add_none();
  void clear() { ids.clear(), hashes.clear(); }
};

// One block's events by columns, in file order, and counts of the rest.
struct EventBatch {
  TextIds customers, items;
  std::vector<int64_t> times;
  std::vector<float> values;
  std::vector<uint8_t> types;
  std::vector<uint64_t> baskets;                            // hash of the id; 0: none
  std::vector<std::string_view> event_ids;                  // only if the file has them
  std::vector<std::pair<uint64_t, uint64_t>> fingerprints;  // only for --distinct: 128 bits over all columns read
  int64_t rows = 0, dropped_customers = 0, filtered = 0, zero_values = 0, bad_rows = 0;
  std::vector<std::pair<int64_t, std::string>> first_bad_rows;  // row within the block, message; at most kKeptBadRows
  int64_t first_anonymous = -1;                                 // row within the block

  static constexpr size_t kKeptBadRows = 20;
  size_t size() const { return items.ids.size(); }
  void clear();
};

class EventRows : public RowSink {
 public:
  explicit EventRows(const RowRules& rules) : rules_(rules), time_parser_(rules.time_parser) {}
  void start_block(const EventFileLayout& layout);

  void add_row(int64_t row, std::span<const Cell> cells) override;
  void add_bad_row(int64_t row, std::string message) override;
  TextArena& arena() override { return arena_; }
  const EventBatch& batch() const { return batch_; }

 private:
  struct Row {
    std::string_view customer, item, event;
    uint8_t type = 0;
    int64_t time = 0;
    double value = 1, price = 0;
    uint64_t basket = 0;
    std::string_view basket_id;
  };
  bool wanted(std::span<const Cell> cells) const;
  // False: the row is bad, and has been counted.
  bool read_row(int64_t row, std::span<const Cell> cells, Row& out);
  bool read_type(int64_t row, const Cell& cell, uint8_t& type);
  bool refuse(int64_t row, Column column, const Cell& cell, const char* problem);
  void append(const Row& row);
  void add_fingerprint(const Row& row);

  const RowRules& rules_;
  TimeParser time_parser_;
  const EventFileLayout* layout_ = nullptr;
  EventBatch batch_;
  TextArena arena_;
  std::string scratch_;
};

}  // namespace bouquet::training
