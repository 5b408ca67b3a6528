// The values of one Arrow column as cells. Only the Parquet reader includes this.
#pragma once

#include <arrow/api.h>

#include <memory>
#include <utility>

#include "training/cell.h"

namespace bouquet::training {

class ArrowCells {
 public:
  explicit ArrowCells(std::shared_ptr<arrow::Array> array);
  // Text points into the array, lists into `arena`.
  Cell at(int64_t row, TextArena& arena) const {
    if (array_->IsNull(row)) return Cell();
    return lists_ == nullptr ? read_(*this, row) : list(row, arena);
  }

 private:
  using Read = Cell (*)(const ArrowCells&, int64_t);
  template <typename Array>
  static const Array& as(const ArrowCells& cells) {
    return static_cast<const Array&>(*cells.array_);
  }
  template <typename Array>
  static Cell integer(const ArrowCells& cells, int64_t row);
  template <typename Array>
  static Cell floating(const ArrowCells& cells, int64_t row);
  template <typename Array>
  static Cell text(const ArrowCells& cells, int64_t row);
  static Cell timestamp(const ArrowCells& cells, int64_t row);
  static Cell date(const ArrowCells& cells, int64_t row);
  static Cell boolean(const ArrowCells& cells, int64_t row);
  static Cell unsigned64(const ArrowCells& cells, int64_t row);
  static Cell dictionary(const ArrowCells& cells, int64_t row);
  static Cell nested(const ArrowCells& cells, int64_t row);
  void read_timestamps();
  void read_lists();
  Cell list(int64_t row, TextArena& arena) const;
  Read reader_of(const arrow::DataType& type);

  std::shared_ptr<arrow::Array> array_;
  std::shared_ptr<ArrowCells> values_;                                            // of a dictionary, or the elements of lists
  std::pair<int64_t, int64_t> (*lists_)(const arrow::Array&, int64_t) = nullptr;  // the first element of a row's list, and how many
  Read read_;
  int64_t multiply_ = 1, divide_ = 1;  // timestamps to microseconds
  Cell::Kind time_kind_ = Cell::Kind::kTime;
};

}  // namespace bouquet::training
