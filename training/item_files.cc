#include "training/item_files.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "engine/catalog_item.h"
#include "engine/errors.h"
#include "training/bad_rows.h"
#include "training/cell_values.h"
#include "training/columns.h"
#include "training/item_column_values.h"
#include "training/table_reader.h"

namespace bouquet::training {
namespace {

constexpr std::array kItemColumns = {Column::kItem, Column::kTitle, Column::kCategory, Column::kKind};
constexpr std::array kRequired = {Column::kItem};

const Cell& cell_of(std::span<const Cell> cells, Column column) { return cells[static_cast<size_t>(column)]; }

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool read_kind(std::string_view text, uint8_t& kind) {
  for (int k = 0; k < kItemKindCount; ++k) {
    if (!same_word(text, item_kind_name(static_cast<ItemKind>(k)))) continue;
    kind = static_cast<uint8_t>(k);
    return true;
  }
  return false;
}

class ItemRows : public RowSink {
 public:
  // `growing`: where not null, `items` itself, to which unknown items are added.
  ItemRows(const IdMap& items, IdMap* growing, ItemColumnValues columns, ReadReport& report)
      : items_(items), growing_(growing), columns_(std::move(columns)), report_(report) {
    fit_to_items();
  }
  const ItemColumnValues& columns() const { return columns_; }
  void start_block(const std::vector<std::string>& names) {
    names_ = &names;
    arena_.clear();
    bad_.clear();
  }
  void add_bad_row(int64_t row, std::string message) override { bad_.emplace_back(row, std::move(message)); }
  TextArena& arena() override { return arena_; }
  const std::vector<std::pair<int64_t, std::string>>& bad() const { return bad_; }
  const std::pair<int64_t, std::string>& repeated() const { return repeated_; }

  void add_row(int64_t row, std::span<const Cell> cells) override {
    std::string_view id;
    if (const char* problem = read_id(cell_of(cells, Column::kItem), arena_, id)) return refuse(row, Column::kItem, cells, problem);
    uint8_t kind = 0;
    const Cell& kind_cell = cell_of(cells, Column::kKind);
    if (!kind_cell.is_null() && !read_kind(kind_cell.text, kind))
      return refuse(row, Column::kKind, cells, "is not a kind of item (PRODUCT, CONTENT, ACTION)");
    for (const Column column : {Column::kTitle, Column::kCategory}) {
      const Cell& cell = cell_of(cells, column);
      if (!is_valid_utf8(cell.text)) return refuse(row, column, cells, "is not valid UTF-8");
    }
    for (size_t c = 0; c < columns_.column_count(); ++c)
      if (const char* problem = columns_.read(c, cells[kColumnCount + c], arena_))
        return refuse(row, columns_.column(c).in_files, cells[kColumnCount + c], problem);
    const int32_t known = seen_.size();
    if (seen_.add(id) < known) {
      if (repeated_.second.empty()) repeated_ = {row, std::string(id)};
      return;
    }
    int32_t item = items_.find(id);
    if (item == kNone && growing_ != nullptr) {
      item = growing_->add(id);
      fit_to_items();
    }
    if (item == kNone) {
      ++report_.unknown_items;
      return;
    }
    const auto at = static_cast<size_t>(item);
    listed_[at] = 1;
    kinds_[at] = kind;
    titles_[at] = catalog_text(cell_text(cell_of(cells, Column::kTitle)));
    categories_[at] = catalog_text(cell_text(cell_of(cells, Column::kCategory)));
    columns_.keep(at);
  }

  std::vector<uint8_t> take_listed() { return std::move(listed_); }
  Catalog finish() {
    const bool all_products = std::all_of(kinds_.begin(), kinds_.end(), [](uint8_t kind) { return kind == 0; });
    return {all_products ? std::vector<uint8_t>() : std::move(kinds_), string_column(titles_), string_column(categories_),
            columns_.finish()};
  }

 private:
  void fit_to_items() {
    const auto count = static_cast<size_t>(items_.size());
    listed_.resize(count, 0);
    kinds_.resize(count, 0);
    titles_.resize(count);
    categories_.resize(count);
    columns_.resize(count);
  }
  void refuse(int64_t row, Column column, std::span<const Cell> cells, const char* problem) {
    refuse(row, (*names_)[static_cast<size_t>(column)], cell_of(cells, column), problem);
  }
  void refuse(int64_t row, const std::string& column, const Cell& cell, const char* problem) {
    add_bad_row(row, "column " + column + ": " + (cell.is_null() ? std::string() : quoted_for_message(cell_text(cell)) + " ") + problem);
  }

  const IdMap& items_;
  IdMap* growing_;
  ItemColumnValues columns_;
  ReadReport& report_;
  const std::vector<std::string>* names_ = nullptr;
  IdMap seen_;
  std::vector<uint8_t> listed_, kinds_;
  std::vector<std::string> titles_, categories_;
  TextArena arena_;
  std::vector<std::pair<int64_t, std::string>> bad_;
  std::pair<int64_t, std::string> repeated_;  // row and id of the first id with two rows
};

absl::Status read_item_file(const std::string& file, const ReadOptions& options, ItemRows& rows, BadRows& bad_rows) {
  auto reader = open_table(file, {.block_bytes = options.block_bytes});
  if (!reader.ok()) return reader.status();
  auto places = place_columns(file, (*reader)->columns(), options.columns, kItemColumns, kRequired);
  if (!places.ok()) return places.status();
  Projection projection((*reader)->columns().size());
  std::vector<std::string> names(kColumnCount);
  for (size_t i = 0; i < places->size(); ++i) {
    if ((*places)[i] < 0) continue;
    projection.add(static_cast<size_t>((*places)[i]), static_cast<int>(i));
    names[i] = (*reader)->columns()[static_cast<size_t>((*places)[i])];
  }
  const ItemColumnValues& columns = rows.columns();
  for (size_t c = 0; c < columns.column_count(); ++c) {
    const auto& in_file = (*reader)->columns();
    const auto at = std::find(in_file.begin(), in_file.end(), columns.column(c).in_files);
    if (at != in_file.end()) projection.add(static_cast<size_t>(at - in_file.begin()), kColumnCount + static_cast<int>(c));
  }
  projection.slot_count = kColumnCount + static_cast<int>(columns.column_count());
  for (Block block;;) {
    auto more = (*reader)->next_block(projection, block);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    rows.start_block(names);
    if (auto status = (*reader)->parse(block, projection, rows); !status.ok()) return status;
    for (const auto& [row, message] : rows.bad())
      if (auto status = bad_rows.add((*reader)->place(block, row), message); !status.ok()) return status;
    if (const auto& [row, id] = rows.repeated(); !id.empty())
      return bad_input((*reader)->place(block, row) + ": item " + quoted_for_message(id) + " has a row already; an item has one row");
  }
}

absl::Status read_all(std::span<const std::string> files, const ReadOptions& options, ItemRows& rows, ReadReport& report) {
  BadRows bad_rows(options.max_bad_rows, report);
  for (const std::string& file : files)
    if (auto status = read_item_file(file, options, rows, bad_rows); !status.ok()) return status;
  return absl::OkStatus();
}

absl::StatusOr<ItemColumnValues> columns_to_read(std::span<const std::string> files, const ReadOptions& options, ReadReport& report) {
  const auto times = TimeParser::for_zone(options.time_zone);
  if (!times.ok()) return times.status();
  auto columns = item_columns({.files = {files.begin(), files.end()},
                               .stored = nullptr,
                               .id = Column::kItem,
                               .settings = options.attribute_settings.item,
                               .columns = options.columns,
                               .max_bad_rows = options.max_bad_rows,
                               .block_bytes = options.block_bytes});
  if (!columns.ok()) return columns.status();
  ItemColumnValues values(*columns, *times);
  report.item_columns_left_out = values.left_out();
  return values;
}

}  // namespace

absl::StatusOr<Catalog> read_item_files(std::span<const std::string> files, const ReadOptions& options, const IdMap& items,
                                        ReadReport& report) {
  auto columns = columns_to_read(files, options, report);
  if (!columns.ok()) return columns.status();
  ItemRows rows(items, nullptr, *std::move(columns), report);
  if (auto status = read_all(files, options, rows, report); !status.ok()) return status;
  return rows.finish();
}

absl::StatusOr<Catalog> read_listed_items(std::span<const std::string> files, const ReadOptions& options, IdMap& items, ReadReport& report,
                                          std::vector<uint8_t>& listed) {
  auto columns = columns_to_read(files, options, report);
  if (!columns.ok()) return columns.status();
  ItemRows rows(items, &items, *std::move(columns), report);
  if (auto status = read_all(files, options, rows, report); !status.ok()) return status;
  listed = rows.take_listed();
  return rows.finish();
}

}  // namespace bouquet::training
