// What is in a file's columns, seen without knowing what they are for: the ground of `bouquet inspect`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "training/cell.h"
#include "training/table_reader.h"

namespace bouquet::training {

// How many different texts it has been given, within about 2 % (Flajolet et al. 2007, HyperLogLog with 4,096 registers).
class DistinctEstimate {
 public:
  void add(std::string_view text);
  int64_t count() const;

 private:
  std::array<uint8_t, 4096> registers_{};
};

struct ColumnProfile {
  std::string name;
  int64_t values = 0, nulls = 0;
  int64_t integers = 0, numbers = 0, times = 0, flags = 0, lists = 0, sets = 0, vectors = 0;  // read as such
  int64_t bars = 0, spaces = 0;                                                               // texts with `|`, with a space
  double smallest = 0, largest = 0;                                                           // of the numbers
  int64_t earliest = 0, latest = 0;                                                           // of the times, microseconds
  size_t shortest = 0, longest = 0;                                                           // of the texts, bytes
  DistinctEstimate distinct;
  uint64_t digest = 0;             // of all values in order; equal columns have equal ones
  std::vector<std::string> first;  // the first values, null as empty text

  // `texts_are_texts`: no text is read as a number, a flag or a time.
  void add(const Cell& cell, bool texts_are_texts = false);
  // time, flag, whole number, number, vector, set of categories, category, text or empty: what every value can be read as; list: lists of
  // anything else.
  std::string type() const;
  // "1 to 89638", "2017-01-01 ... to 2017-12-31 ...", "3 to 40 bytes", or nothing.
  std::string range() const;
};

struct FileProfile {
  std::string path;
  std::string format;
  int64_t rows = 0;
  std::vector<ColumnProfile> columns;
  int64_t bad_rows = 0;
  std::vector<std::string> first_bad_rows;  // with their places
};

// Reads the whole file; rows past `max_rows` are not looked at (0: all are). Errors: as open_table, DataLoss on the way.
absl::StatusOr<FileProfile> profile_file(const std::string& path, int64_t max_rows);

}  // namespace bouquet::training
