#include "training/text_blocks.h"

#include <algorithm>
#include <cstring>

#include "engine/errors.h"

namespace bouquet::training {
namespace {

int64_t count_newlines(std::string_view text) { return std::count(text.begin(), text.end(), '\n'); }

RowEnds find_line_ends(std::string_view text) {
  RowEnds ends;
  ends.first = text.find('\n') + 1;  // npos + 1 is 0
  ends.last = text.rfind('\n') + 1;
  return ends;
}

bool starts_field(std::string_view text, size_t at, char delimiter) { return at == 0 || text[at - 1] == delimiter || text[at - 1] == '\n'; }

// Just past the quote that closes what opens at text[open], or npos.
size_t past_closing_quote(std::string_view text, size_t open) {
  for (size_t at = open + 1;; at += 2) {
    at = text.find('"', at);
    if (at == std::string_view::npos) return at;
    if (at + 1 >= text.size() || text[at + 1] != '"') return at + 1;  // two quotes are one quote of the text
  }
}

}  // namespace

RowEnds find_row_ends(std::string_view text, char delimiter) {
  if (std::memchr(text.data(), '"', text.size()) == nullptr) return find_line_ends(text);
  RowEnds ends;
  const auto add_plain = [&](size_t begin, size_t end) {  // a stretch without quoted text
    const RowEnds lines = find_line_ends(text.substr(begin, end - begin));
    if (lines.first > 0 && ends.first == 0) ends.first = begin + lines.first;
    if (lines.last > 0) ends.last = begin + lines.last;
  };
  size_t plain = 0;  // start of the current plain stretch
  for (size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', at)) {
    if (!starts_field(text, at, delimiter)) {
      ++at;
      continue;
    }
    add_plain(plain, at);
    plain = past_closing_quote(text, at);
    if (plain == std::string_view::npos) {
      ends.open = true;
      ends.open_row = ends.last;
      return ends;
    }
    at = plain;
    if (at < text.size() && text[at] == '"') ++at;
  }
  add_plain(plain, text.size());
  return ends;
}

absl::Status TextBlocks::fill(std::vector<char>& bytes, size_t& size, size_t wanted) {
  if (bytes.size() < wanted + 1 + Block::kPadding) bytes.resize(wanted + 1 + Block::kPadding);
  if (at_end_ || size >= wanted) return absl::OkStatus();
  const auto got = source_->read(bytes.data() + size, wanted - size);
  if (!got.ok()) return got.status();
  at_end_ = *got < wanted - size;
  size += *got;
  bytes_read_ += static_cast<int64_t>(*got);
  return absl::OkStatus();
}

absl::StatusOr<std::string_view> TextBlocks::peek(size_t least) {
  size_t size = carry_.size();
  std::vector<char> bytes = std::move(carry_);
  const absl::Status status = fill(bytes, size, std::max(least, size));
  if (!status.ok()) return status;
  bytes.resize(size);
  carry_ = std::move(bytes);
  return std::string_view(carry_.data(), carry_.size());
}

void TextBlocks::consume(size_t size) {
  lines_ += count_newlines({carry_.data(), size});
  carry_.erase(carry_.begin(), carry_.begin() + static_cast<std::ptrdiff_t>(size));
}

std::string TextBlocks::open_quote_message(std::string_view text, const RowEnds& ends) const {
  const int64_t line = lines_ + count_newlines(text.substr(0, ends.open_row)) + 1;
  return path_ + ":" + std::to_string(line) + ": a quote that opens in this row is never closed";
}

absl::StatusOr<bool> TextBlocks::next(Block& block) {
  size_t size = carry_.size();
  if (block.bytes.size() < size + Block::kPadding) block.bytes.resize(size + Block::kPadding);
  std::copy(carry_.begin(), carry_.end(), block.bytes.begin());
  carry_.clear();
  RowEnds ends;
  for (size_t wanted = std::max(block_bytes_, size);; wanted = std::min(wanted * 2, kMaxRowBytes + 1)) {
    if (auto status = fill(block.bytes, size, wanted); !status.ok()) return status;
    if (size == 0) return false;
    if (at_end_ && block.bytes[size - 1] != '\n') block.bytes[size++] = '\n';
    const std::string_view text(block.bytes.data(), size);
    ends = delimiter_ == 0 ? find_line_ends(text) : find_row_ends(text, delimiter_);
    if (at_end_ && ends.open) return bad_input(open_quote_message(text, ends));
    if (ends.last > 0) break;
    if (wanted > kMaxRowBytes) {
      return bad_input(path_ + ":" + std::to_string(lines_ + 1) + ": a row longer than 16 MiB" +
                       (ends.open ? "; is a quote not closed?" : "; is this a file of rows?"));
    }
  }
  carry_.assign(block.bytes.begin() + static_cast<std::ptrdiff_t>(ends.last), block.bytes.begin() + static_cast<std::ptrdiff_t>(size));
  block.size = ends.last;
  block.first_row = lines_;
  lines_ += count_newlines(block.text());
  return true;
}

}  // namespace bouquet::training
