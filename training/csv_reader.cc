#include "training/csv_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/errors.h"

namespace bouquet::training {
namespace {

constexpr size_t kHeaderBytes = size_t{1} << 20;

// The first `delimiter` or newline at or after `at`. A newline follows somewhere, and 8 bytes past it may be read.
const char* plain_field_end(const char* at, char delimiter) {
  constexpr uint64_t kOnes = 0x0101010101010101ull;
  const uint64_t delimiters = kOnes * static_cast<unsigned char>(delimiter);
  const uint64_t newlines = kOnes * '\n';
  for (;; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    // A byte of (x - 1) & ~x has its top bit set if x was 0; bytes above the lowest such one may be wrong, that one is not.
    const uint64_t a = word ^ delimiters, b = word ^ newlines;
    const uint64_t hits = (((a - kOnes) & ~a) | ((b - kOnes) & ~b)) & (kOnes << 7);
    if (hits != 0) return at + (__builtin_ctzll(hits) >> 3);
  }
}

// Reads one field at `at`, leaves `at` on the delimiter or newline behind it.
struct FieldReader {
  char delimiter;
  TextArena& arena;
  const char* problem = nullptr;

  std::string_view read(const char*& at) {
    if (*at == '"') return read_quoted(at);
    const char* begin = at;
    at = plain_field_end(at, delimiter);
    const char* end = at;
    if (*at == '\n' && end > begin && end[-1] == '\r') --end;
    return {begin, static_cast<size_t>(end - begin)};
  }

 private:
  std::string_view read_quoted(const char*& at) {
    const char* begin = ++at;
    bool escaped = false;
    for (;; at += 2) {  // a block ends outside quotes, so a closing quote follows
      while (*at != '"') ++at;
      if (at[1] != '"') break;
      escaped = true;
    }
    std::string_view text(begin, static_cast<size_t>(at - begin));
    if (escaped) text = unescape(text);
    ++at;
    if (*at == '\r' && at[1] == '\n') ++at;
    if (*at != delimiter && *at != '\n') {
      problem = "has text after a closing quote";
      at = plain_field_end(at, delimiter);
    }
    return text;
  }

  std::string_view unescape(std::string_view text) {
    char* out = arena.allocate(text.size());
    size_t size = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      out[size++] = text[i];
      if (text[i] == '"') ++i;
    }
    return {out, size};
  }
};

class CsvReader : public TableReader {
 public:
  CsvReader(std::string path, std::unique_ptr<TextBlocks> blocks, char delimiter, std::vector<std::string> columns)
      : path_(std::move(path)), blocks_(std::move(blocks)), delimiter_(delimiter), columns_(std::move(columns)) {}

  const std::vector<std::string>& columns() const override { return columns_; }
  absl::StatusOr<bool> next_block(const Projection&, Block& block) override { return blocks_->next(block); }
  std::string place(const Block& block, int64_t row) const override { return path_ + ":" + std::to_string(block.first_row + row + 1); }
  std::string_view format() const override { return "CSV"; }
  int64_t bytes_read() const override { return blocks_->bytes_read(); }

  absl::Status parse(const Block& block, const Projection& projection, RowSink& sink) const override {
    const Routes routes(projection);
    std::vector<Cell> cells(static_cast<size_t>(projection.slot_count));
    const char* at = block.bytes.data();
    const char* end = at + block.size;
    const bool any_quote = std::memchr(at, '"', block.size) != nullptr;
    int64_t line = 0;
    while (at < end) {
      if (*at == '\n' || (*at == '\r' && at[1] == '\n')) {  // an empty line is no row
        at += *at == '\r' ? 2 : 1;
        ++line;
        continue;
      }
      const char* row = at;
      at = parse_row(at, routes, cells, line, sink);
      line += any_quote ? std::count(row, at, '\n') : 1;
    }
    return absl::OkStatus();
  }

 private:
  // Where each column goes, flat: most columns feed one slot.
  struct Routes {
    std::vector<int> first;  // by column; -1: nowhere
    std::vector<std::pair<int, int>> more;
    explicit Routes(const Projection& projection) {
      for (size_t column = 0; column < projection.slots_of_column.size(); ++column) {
        const auto& slots = projection.slots_of_column[column];
        first.push_back(slots.empty() ? -1 : slots[0]);
        for (size_t i = 1; i < slots.size(); ++i) more.emplace_back(slots[0], slots[i]);
      }
    }
  };

  const char* parse_row(const char* at, const Routes& routes, std::vector<Cell>& cells, int64_t line, RowSink& sink) const {
    FieldReader fields{delimiter_, sink.arena()};
    const size_t known = columns_.size();
    size_t column = 0;
    for (;; ++at, ++column) {
      const std::string_view text = fields.read(at);
      const int slot = column < known ? routes.first[column] : -1;
      if (slot >= 0) cells[static_cast<size_t>(slot)] = Cell::of_field(text);
      if (*at == '\n') break;
    }
    if (fields.problem != nullptr) {
      sink.add_bad_row(line, fields.problem);
    } else if (column + 1 != known) {
      sink.add_bad_row(line, "has " + std::to_string(column + 1) + " fields, but the header has " + std::to_string(known));
    } else {
      for (const auto& [from, to] : routes.more) cells[static_cast<size_t>(to)] = cells[static_cast<size_t>(from)];
      sink.add_row(line, cells);
    }
    return at + 1;
  }

  std::string path_;
  std::unique_ptr<TextBlocks> blocks_;
  char delimiter_;
  std::vector<std::string> columns_;
};

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The candidate that occurs most often in the first line outside quotes; comma if none does.
char sniff_delimiter(std::string_view text) {
  constexpr std::array<char, 3> kCandidates = {',', ';', '\t'};
  std::array<int, 3> counts{};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == '\n' && !quoted) break;
    for (size_t i = 0; i < kCandidates.size() && !quoted; ++i) counts[i] += c == kCandidates[i];
  }
  return kCandidates[static_cast<size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin())];
}

absl::StatusOr<std::vector<std::string>> parse_header(const std::string& path, std::string line, char delimiter) {
  TextArena arena;
  FieldReader fields{delimiter, arena};
  if (line.empty() || line.back() != '\n') line.push_back('\n');
  line.append(Block::kPadding, '\0');
  std::vector<std::string> names;
  for (const char* at = line.data();; ++at) {
    names.emplace_back(without_spaces(fields.read(at)));
    if (*at == '\n') break;
  }
  if (fields.problem != nullptr) return bad_input(path + ":1: the header " + fields.problem);
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty() && std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
                                 names.begin() + static_cast<std::ptrdiff_t>(i))
      return bad_input(path + ":1: the header has two columns named " + quoted_for_message(names[i]));
  }
  return names;
}

absl::Status check_start(const std::string& path, std::string_view text) {
  if (text.empty() || text.find_first_not_of("\r\n") == std::string_view::npos)
    return bad_input(path + ": is empty; the first row must name the columns");
  if (text[0] == '{' || text[0] == '[')
    return bad_input(path + ": starts like JSON, not like a header row; JSON lines are read from .jsonl files");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> open_csv(const std::string& path, std::unique_ptr<TextBlocks> blocks) {
  const auto text = blocks->peek(kHeaderBytes);
  if (!text.ok()) return text.status();
  if (auto status = check_start(path, *text); !status.ok()) return status;
  const char delimiter = sniff_delimiter(*text);
  const RowEnds ends = find_row_ends(*text, delimiter);
  if (ends.first == 0 && ends.open) return bad_input(path + ":1: a quote that opens in the header is never closed");
  if (ends.first == 0 && text->size() >= kHeaderBytes) return bad_input(path + ":1: the header is longer than 1 MiB; is this a CSV file?");
  const size_t header = ends.first == 0 ? text->size() : ends.first;
  if (text->substr(0, header - 1).find('\r') < header - 2 && text->substr(0, header).find('"') == std::string_view::npos)
    return bad_input(path + ": lines end with a carriage return alone; save it with LF or CRLF line ends");
  auto columns = parse_header(path, std::string(text->substr(0, header)), delimiter);
  if (!columns.ok()) return columns.status();
  blocks->consume(header);
  blocks->set_quoting(delimiter);
  return std::make_unique<CsvReader>(path, std::move(blocks), delimiter, *std::move(columns));
}

}  // namespace bouquet::training
