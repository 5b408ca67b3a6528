#include "training/arrow_cells.h"

#include <utility>

#include "training/cell_values.h"

namespace bouquet::training {

ArrowCells::ArrowCells(std::shared_ptr<arrow::Array> array) : array_(std::move(array)), read_(reader_of(*array_->type())) {
  if (array_->type_id() == arrow::Type::TIMESTAMP) read_timestamps();
  if (array_->type_id() == arrow::Type::DICTIONARY)
    values_ = std::make_shared<ArrowCells>(static_cast<const arrow::DictionaryArray&>(*array_).dictionary());
  read_lists();
}

ArrowCells::Read ArrowCells::reader_of(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8: return integer<arrow::Int8Array>;
    case arrow::Type::INT16: return integer<arrow::Int16Array>;
    case arrow::Type::INT32: return integer<arrow::Int32Array>;
    case arrow::Type::INT64: return integer<arrow::Int64Array>;
    case arrow::Type::UINT8: return integer<arrow::UInt8Array>;
    case arrow::Type::UINT16: return integer<arrow::UInt16Array>;
    case arrow::Type::UINT32: return integer<arrow::UInt32Array>;
    case arrow::Type::UINT64: return unsigned64;
    case arrow::Type::FLOAT: return floating<arrow::FloatArray>;
    case arrow::Type::DOUBLE: return floating<arrow::DoubleArray>;
    case arrow::Type::STRING: return text<arrow::StringArray>;
    case arrow::Type::LARGE_STRING: return text<arrow::LargeStringArray>;
    case arrow::Type::BINARY: return text<arrow::BinaryArray>;
    case arrow::Type::LARGE_BINARY: return text<arrow::LargeBinaryArray>;
    case arrow::Type::BOOL: return boolean;
    case arrow::Type::TIMESTAMP: return timestamp;
    case arrow::Type::DATE32: return date;
    case arrow::Type::DICTIONARY: return dictionary;
    case arrow::Type::NA: return [](const ArrowCells&, int64_t) { return Cell(); };
    default: return nested;
  }
}

void ArrowCells::read_timestamps() {
  const auto& type = static_cast<const arrow::TimestampType&>(*array_->type());
  time_kind_ = type.timezone().empty() ? Cell::Kind::kNaiveTime : Cell::Kind::kTime;
  switch (type.unit()) {
    case arrow::TimeUnit::SECOND: multiply_ = 1000000; break;
    case arrow::TimeUnit::MILLI: multiply_ = 1000; break;
    case arrow::TimeUnit::MICRO: break;
    case arrow::TimeUnit::NANO: divide_ = 1000; break;
  }
}

template <typename Array>
std::pair<int64_t, int64_t> extent(const arrow::Array& array, int64_t row) {
  const auto& lists = static_cast<const Array&>(array);
  return {lists.value_offset(row), lists.value_length(row)};
}

void ArrowCells::read_lists() {
  const auto elements = [&](const auto& array) { values_ = std::make_shared<ArrowCells>(array.values()); };
  switch (array_->type_id()) {
    case arrow::Type::LIST:
      elements(static_cast<const arrow::ListArray&>(*array_));
      lists_ = extent<arrow::ListArray>;
      break;
    case arrow::Type::LARGE_LIST:
      elements(static_cast<const arrow::LargeListArray&>(*array_));
      lists_ = extent<arrow::LargeListArray>;
      break;
    case arrow::Type::FIXED_SIZE_LIST:
      elements(static_cast<const arrow::FixedSizeListArray&>(*array_));
      lists_ = extent<arrow::FixedSizeListArray>;
      break;
    default: break;
  }
}

Cell ArrowCells::list(int64_t row, TextArena& arena) const {
  const auto [first, length] = lists_(*array_, row);
  const auto cells = arena.array<Cell>(static_cast<size_t>(length));
  for (size_t i = 0; i < cells.size(); ++i) cells[i] = values_->at(first + static_cast<int64_t>(i), arena);
  const arrow::Type::type type = values_->array_->type_id();
  return list_cell(cells, type == arrow::Type::FLOAT || type == arrow::Type::DOUBLE, arena);
}

template <typename Array>
Cell ArrowCells::integer(const ArrowCells& cells, int64_t row) {
  return Cell::of_integer(static_cast<int64_t>(as<Array>(cells).Value(row)));
}

template <typename Array>
Cell ArrowCells::floating(const ArrowCells& cells, int64_t row) {
  return Cell::of_float(static_cast<double>(as<Array>(cells).Value(row)));
}

template <typename Array>
Cell ArrowCells::text(const ArrowCells& cells, int64_t row) {
  return Cell::of_text(as<Array>(cells).GetView(row));
}

Cell ArrowCells::timestamp(const ArrowCells& cells, int64_t row) {
  const int64_t value = as<arrow::TimestampArray>(cells).Value(row);
  int64_t microseconds = 0;
  if (__builtin_mul_overflow(value, cells.multiply_, &microseconds)) return Cell::of(Cell::Kind::kNested);
  // Towards the past, also before 1970.
  microseconds = microseconds / cells.divide_ - (microseconds % cells.divide_ < 0 ? 1 : 0);
  return Cell::of(cells.time_kind_, microseconds);
}

Cell ArrowCells::date(const ArrowCells& cells, int64_t row) {
  return Cell::of(Cell::Kind::kNaiveTime, int64_t{as<arrow::Date32Array>(cells).Value(row)} * 86400000000);
}

Cell ArrowCells::boolean(const ArrowCells& cells, int64_t row) {
  return Cell::of(Cell::Kind::kBool, as<arrow::BooleanArray>(cells).Value(row) ? 1 : 0);
}

Cell ArrowCells::unsigned64(const ArrowCells& cells, int64_t row) {
  const uint64_t value = as<arrow::UInt64Array>(cells).Value(row);
  if (value > static_cast<uint64_t>(INT64_MAX)) return Cell::of(Cell::Kind::kUnsigned, static_cast<int64_t>(value));
  return Cell::of_integer(static_cast<int64_t>(value));
}

Cell ArrowCells::dictionary(const ArrowCells& cells, int64_t row) {
  const int64_t at = as<arrow::DictionaryArray>(cells).GetValueIndex(row);
  return cells.values_->array_->IsNull(at) ? Cell() : cells.values_->read_(*cells.values_, at);
}

Cell ArrowCells::nested(const ArrowCells&, int64_t) { return Cell::of(Cell::Kind::kNested); }

}  // namespace bouquet::training
