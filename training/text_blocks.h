// Cuts a stream of text into blocks of whole rows. A newline within quotes does not end a row.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "training/byte_source.h"
#include "training/table_reader.h"

namespace bouquet::training {

// Where rows end in `text`, which starts at the start of a row. A quote opens only at the start of a field.
struct RowEnds {
  size_t first = 0;     // just past the newline of the first whole row; 0: there is none
  size_t last = 0;      // just past the newline of the last whole row
  bool open = false;    // the text ends within quotes
  size_t open_row = 0;  // and this is where their row starts
};
RowEnds find_row_ends(std::string_view text, char delimiter);

class TextBlocks {
 public:
  static constexpr size_t kMaxRowBytes = size_t{16} << 20;

  TextBlocks(std::string path, std::unique_ptr<ByteSource> source, size_t block_bytes)
      : path_(std::move(path)), source_(std::move(source)), block_bytes_(block_bytes) {}

  // The start of what is not yet consumed: at least `least` bytes unless the stream has fewer left.
  absl::StatusOr<std::string_view> peek(size_t least);
  // Drops `size` peeked bytes; their newlines count as lines.
  void consume(size_t size);
  // Rows are lines, and quotes mean nothing, until this names the delimiter of quoted fields.
  void set_quoting(char delimiter) { delimiter_ = delimiter; }

  // The next whole rows, each ended by a newline. False at the end. Errors: DataLoss (a row over kMaxRowBytes, a quote that never closes).
  absl::StatusOr<bool> next(Block& block);
  int64_t bytes_read() const { return bytes_read_; }

 private:
  absl::Status fill(std::vector<char>& bytes, size_t& size, size_t wanted);
  std::string open_quote_message(std::string_view text, const RowEnds& ends) const;

  std::string path_;
  std::unique_ptr<ByteSource> source_;
  size_t block_bytes_;
  char delimiter_ = 0;  // 0: no quotes
  std::vector<char> carry_;
  bool at_end_ = false;
  int64_t lines_ = 0;
  int64_t bytes_read_ = 0;
};

}  // namespace bouquet::training
