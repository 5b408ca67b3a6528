// A file of rows with named columns, whatever its format, read block by block. One thread at a time asks for the next block; several
// parse blocks at once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/cell.h"

namespace bouquet::training {

// Which of a file's columns feed which slot of the row that a sink gets.
struct Projection {
  int slot_count = 0;
  std::vector<std::vector<int>> slots_of_column;  // by file column; empty: not wanted

  explicit Projection(size_t columns = 0) : slots_of_column(columns) {}
  void add(size_t column, int slot) {
    slots_of_column[column].push_back(slot);
    if (slot >= slot_count) slot_count = slot + 1;
  }
};

// What parsing hands rows to. `row` counts from 0 within the block: lines for text, rows for Parquet. Cells and their text live
// as long as the block and the sink's arena.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void add_row(int64_t row, std::span<const Cell> cells) = 0;
  virtual void add_bad_row(int64_t row, std::string message) = 0;
  virtual TextArena& arena() = 0;
};

// A run of whole rows.
struct Block {
  std::vector<char> bytes;  // text; padded past `size` by kPadding bytes
  size_t size = 0;
  std::shared_ptr<void> batch;  // what another format reads instead of text
  int64_t row_group = -1;       // Parquet: rows are numbered within a row group
  int64_t first_row = 0;        // lines (text) or rows of the row group (Parquet) before this block

  static constexpr size_t kPadding = 64;
  std::string_view text() const { return {bytes.data(), size}; }
};

class TableReader {
 public:
  virtual ~TableReader() = default;

  // Names in the file's order, without repeats.
  virtual const std::vector<std::string>& columns() const = 0;
  // Fills `block` with the next rows; false at the end. Errors: DataLoss (truncated, damaged, a row too long), NotFound.
  virtual absl::StatusOr<bool> next_block(const Projection& projection, Block& block) = 0;
  // Hands every row of the block to `sink`. Thread-safe.
  virtual absl::Status parse(const Block& block, const Projection& projection, RowSink& sink) const = 0;
  // "orders.csv:17" or "orders.parquet: row group 0, row 17", both counted as people do: lines from 1, rows from 0.
  virtual std::string place(const Block& block, int64_t row) const = 0;
  virtual std::string_view format() const = 0;  // CSV, JSONL, Parquet
  virtual int64_t bytes_read() const = 0;       // of the file so far, 0 where it is not known
};

struct TableOptions {
  size_t block_bytes = size_t{1} << 20;  // of text per block
};

// Opens a file by its suffix (.csv .tsv .txt .jsonl .ndjson .json .parquet .pq, the text ones also with .gz or .zst) or "-".
// Errors: NotFound (missing), DataLoss (empty, a directory, another format than its suffix says, duplicate columns),
// InvalidArgument (a suffix that says nothing), PermissionDenied, Unimplemented (Parquet in a build without it).
absl::StatusOr<std::unique_ptr<TableReader>> open_table(const std::string& path, const TableOptions& options);

// Existing paths as they are, patterns expanded in name order. Errors: NotFound (no file), InvalidArgument (one file named twice).
absl::StatusOr<std::vector<std::string>> expand_paths(std::span<const std::string> paths);

}  // namespace bouquet::training
