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
  const int32_t entity = ids_.find(id);
  if (entity == kNone) {
    ++unknown_;
    return;
  }
  if (entities_[static_cast<size_t>(entity)] != Entity::kBad) take(row, entity, cells);
}

void AttributeRowReader::take(int64_t row, int32_t entity, std::span<const Cell> cells) {
  Entity& state = entities_[static_cast<size_t>(entity)];
  state = Entity::kBad;
  for (size_t a = 0; a < attributes_.size(); ++a)
    if (const char* problem = read_attribute(cells[a + 1], attributes_[a].type, arena_, values_[a])) {
      unreadable_.emplace_back(row, "column " + attributes_[a].name + ": " + shown(cells[a + 1]) + problem);
      return;
    }
  const absl::Status taken = take_(entity, values_);
  if (taken.ok())
    state = Entity::kUsable;
  else if (taken.code() == absl::StatusCode::kInvalidArgument)
    bad_.emplace_back(row, std::string(taken.message()));
  else
    status_ = taken;
}

}  // namespace bouquet::training
