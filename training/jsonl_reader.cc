#include "training/jsonl_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "engine/errors.h"
#include "training/cell_values.h"

namespace bouquet::training {
namespace {

constexpr size_t kSampleBytes = size_t{1} << 20;
static_assert(Block::kPadding >= simdjson::SIMDJSON_PADDING);

std::string message_for(simdjson::error_code error) {
  return std::string("is not a JSON object on one line (") + simdjson::error_message(error) + ")";
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

// Calls `member(key, value)` for each member of the object on `line`, after which kPadding bytes may be read. The whole line is checked.
template <typename Member>
simdjson::error_code for_each_member(simdjson::dom::parser& parser, std::string_view line, const Member& member) {
  simdjson::dom::object object;
  if (auto error = parser.parse(line.data(), line.size(), /*realloc_if_needed=*/false).get_object().get(object)) return error;
  for (const auto& [key, value] : object) member(key, value);
  return simdjson::SUCCESS;
}

Cell cell_of(const simdjson::dom::element& value, TextArena& arena);

Cell array_of(const simdjson::dom::array& array, TextArena& arena) {
  std::vector<Cell> cells;
  bool fraction = false;
  for (const auto& element : array) {
    cells.push_back(cell_of(element, arena));
    fraction |= element.type() == simdjson::dom::element_type::DOUBLE;  // is_double() also holds for whole numbers
  }
  return list_cell(cells, fraction, arena);
}

// {"tea": 3, "pot": 1} is the list of the texts "tea:3" and "pot:1".
Cell object_of(const simdjson::dom::object& object, TextArena& arena) {
  std::vector<Cell> cells;
  for (const auto& [key, element] : object) {
    if (!element.is_number()) return Cell::of(Cell::Kind::kNested);
    cells.push_back(Cell::of_text(arena.copy(std::string(key) + ":" + cell_text(cell_of(element, arena)))));
  }
  return list_cell(cells, false, arena);
}

// Text is copied into the arena: the parser forgets it with the next line.
Cell cell_of(const simdjson::dom::element& value, TextArena& arena) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::STRING: return Cell::of_text(arena.copy(value.get_string().value_unsafe()));
    case element_type::INT64: return Cell::of_integer(value.get_int64().value_unsafe());
    case element_type::UINT64: return Cell::of(Cell::Kind::kUnsigned, static_cast<int64_t>(value.get_uint64().value_unsafe()));
    case element_type::DOUBLE: return Cell::of_float(value.get_double().value_unsafe());
    case element_type::BOOL: return Cell::of(Cell::Kind::kBool, value.get_bool().value_unsafe() ? 1 : 0);
    case element_type::NULL_VALUE: return Cell();
    case element_type::OBJECT: return object_of(value.get_object().value_unsafe(), arena);
    case element_type::ARRAY: return array_of(value.get_array().value_unsafe(), arena);
  }
  return Cell::of(Cell::Kind::kNested);
}

class JsonlReader : public TableReader {
 public:
  JsonlReader(std::string path, std::unique_ptr<TextBlocks> blocks, std::vector<std::string> columns)
      : path_(std::move(path)), blocks_(std::move(blocks)), columns_(std::move(columns)) {}

  const std::vector<std::string>& columns() const override { return columns_; }
  absl::StatusOr<bool> next_block(const Projection&, Block& block) override { return blocks_->next(block); }
  std::string place(const Block& block, int64_t row) const override { return path_ + ":" + std::to_string(block.first_row + row + 1); }
  std::string_view format() const override { return "JSONL"; }
  int64_t bytes_read() const override { return blocks_->bytes_read(); }

  absl::Status parse(const Block& block, const Projection& projection, RowSink& sink) const override {
    thread_local simdjson::dom::parser parser;
    std::vector<Cell> cells(static_cast<size_t>(projection.slot_count));
    std::vector<bool> seen(columns_.size());
    const std::string_view text = block.text();
    int64_t row = 0;
    for (size_t begin = 0; begin < text.size(); ++row) {
      const size_t end = text.find('\n', begin);
      const std::string_view line = text.substr(begin, end - begin);
      begin = end + 1;
      if (is_blank(line)) continue;
      std::fill(cells.begin(), cells.end(), Cell());
      std::fill(seen.begin(), seen.end(), false);
      std::string twice;
      const auto error = for_each_member(parser, line, [&](std::string_view key, const simdjson::dom::element& value) {
        const auto column = static_cast<size_t>(std::find(columns_.begin(), columns_.end(), key) - columns_.begin());
        if (column == columns_.size() || projection.slots_of_column[column].empty()) return;
        if (seen[column]) twice = key;
        seen[column] = true;
        const Cell cell = cell_of(value, sink.arena());
        for (const int slot : projection.slots_of_column[column]) cells[static_cast<size_t>(slot)] = cell;
      });
      if (error)
        sink.add_bad_row(row, message_for(error));
      else if (!twice.empty())
        sink.add_bad_row(row, "has " + quoted_for_message(twice) + " twice");
      else
        sink.add_row(row, cells);
    }
    return absl::OkStatus();
  }

 private:
  std::string path_;
  std::unique_ptr<TextBlocks> blocks_;
  std::vector<std::string> columns_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> open_jsonl(const std::string& path, std::unique_ptr<TextBlocks> blocks) {
  const auto peeked = blocks->peek(kSampleBytes);
  if (!peeked.ok()) return peeked.status();
  std::string sample(*peeked);
  if (const size_t cut = sample.rfind('\n'); sample.size() >= kSampleBytes && cut != std::string::npos) sample.resize(cut);
  const size_t start = sample.find_first_not_of(" \t\r\n");
  if (start == std::string::npos) return bad_input(path + ": is empty; every line must be a JSON object");
  if (sample[start] == '[') return bad_input(path + ": is a JSON array; every line must be a JSON object of its own (JSON lines)");
  const size_t size = sample.size();
  sample.append(Block::kPadding, ' ');
  simdjson::dom::parser parser;
  std::vector<std::string> columns;
  std::string first_problem;
  for (size_t begin = 0; begin < size;) {
    const size_t end = std::min(sample.find('\n', begin), size);
    const std::string_view line(sample.data() + begin, end - begin);
    begin = end + 1;
    if (is_blank(line)) continue;
    const auto error = for_each_member(parser, line, [&](std::string_view key, const simdjson::dom::element&) {
      if (std::find(columns.begin(), columns.end(), key) == columns.end() && columns.size() < 10000) columns.emplace_back(key);
    });
    if (error && first_problem.empty()) first_problem = message_for(error);
  }
  if (columns.empty()) return bad_input(path + ":1: " + (first_problem.empty() ? "the objects have no members" : first_problem));
  return std::make_unique<JsonlReader>(path, std::move(blocks), std::move(columns));
}

}  // namespace bouquet::training
