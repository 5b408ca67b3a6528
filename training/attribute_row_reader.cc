#include "training/attribute_row_reader.h"

#include "engine/views.h"
#include "training/attribute_cells.h"
#include "training/cell_values.h"

namespace bouquet::training {
namespace {

std::string shown(const Cell& cell) { return cell.is_null() ? std::string() : quoted_for_message(cell_text(cell)) + " "; }

}  // namespace

void AttributeRowReader::add_row(int64_t row, std::span<const Cell> cells) {
  ++rows_;
  if (!status_.ok()) return;
  std::string_view id;
  if (const char* problem = read_id(cells[0], arena_, id)) {
    unreadable_.emplace_back(row, "column " + id_name_ + ": " + shown(cells[0]) + problem);
    return;
  }
  if (first_pass_) {
    const int32_t known = seen_.size();
    if (seen_.add(id) < known && repeated_.second.empty()) repeated_ = {row, std::string(id)};
  }
  const RowOwner owner = taker_.owner_of(id);
  if (owner.entity == kNone) {
    ++(owner.was_erased ? erased_ : unknown_);
    return;
  }
  if (owner.row >= is_bad_.size()) is_bad_.resize(owner.row + owner.row / 2 + 1);
  if (!is_bad_[owner.row]) take(row, owner, cells);
}

void AttributeRowReader::take(int64_t row, const RowOwner& owner, std::span<const Cell> cells) {
  is_bad_[owner.row] = true;
  for (size_t a = 0; a < attributes_.size(); ++a)
    if (const char* problem = read_attribute(cells[a + 1], attributes_[a].type, arena_, values_[a])) {
      unreadable_.emplace_back(row, "column " + attributes_[a].column() + ": " + shown(cells[a + 1]) + problem);
      return;
    }
  const absl::Status taken = taker_.add(owner, values_);
  if (taken.ok())
    is_bad_[owner.row] = false;
  else if (taken.code() == absl::StatusCode::kInvalidArgument)
    bad_.emplace_back(row, std::string(taken.message()));
  else
    status_ = taken;
}

}  // namespace bouquet::training
