// Turns the rows of attribute files into values, and keeps account of the rows that it cannot.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/attribute_value.h"
#include "engine/id_map.h"
#include "training/attribute_fit.h"
#include "training/entity_rows.h"
#include "training/table_reader.h"

namespace bouquet::training {

// Turns cells into values, row by row. Slot 0 is the id, then one for each attribute.
class AttributeRowReader : public RowSink {
 public:
  // Usable rows go to `taker`, whose pass has been started. What is passed outlives this.
  AttributeRowReader(const std::vector<TypedAttribute>& attributes, EntityRows& taker)
      : attributes_(attributes), taker_(taker), values_(attributes.size()) {}
  void start_block(const std::string& id_name) {
    id_name_ = id_name;
    arena_.clear();
    bad_.clear();
  }
  TextArena& arena() override { return arena_; }
  void add_bad_row(int64_t row, std::string message) override {
    ++rows_;
    unreadable_.emplace_back(row, std::move(message));
  }
  void add_row(int64_t row, std::span<const Cell> cells) override;

  // In the second pass ids are not compared again, and what was bad in the first is passed over.
  void start_second_pass() {
    first_pass_ = false;
    rows_ = unknown_ = erased_ = 0;
    seen_ = {};
  }
  void forget_unreadable() { unreadable_.clear(); }
  // Rows that cannot be read (a broken row, id or cell), and rows that were not taken.
  const std::vector<std::pair<int64_t, std::string>>& unreadable() const { return unreadable_; }
  const std::vector<std::pair<int64_t, std::string>>& bad() const { return bad_; }
  const std::pair<int64_t, std::string>& repeated() const { return repeated_; }
  const absl::Status& status() const { return status_; }
  int64_t rows() const { return rows_; }
  int64_t unknown() const { return unknown_; }
  int64_t erased() const { return erased_; }

 private:
  void take(int64_t row, const RowOwner& owner, std::span<const Cell> cells);

  const std::vector<TypedAttribute>& attributes_;
  EntityRows& taker_;
  std::vector<bool> is_bad_;  // by RowOwner::row
  std::vector<AttributeValue> values_;
  std::string id_name_;
  TextArena arena_;
  IdMap seen_;
  bool first_pass_ = true;
  std::vector<std::pair<int64_t, std::string>> unreadable_, bad_;
  std::pair<int64_t, std::string> repeated_;
  absl::Status status_;
  int64_t rows_ = 0, unknown_ = 0, erased_ = 0;
};

}  // namespace bouquet::training
