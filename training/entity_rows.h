// One row for each customer or item, put together from what says anything of them: the row of a file, rows of files of ids that a store has
// merged, and the store's own words (training/stored_attributes.h has the rule).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/attribute_value.h"
#include "engine/id_map.h"
#include "training/attribute_fit.h"
#include "training/cell.h"
#include "training/stored_attributes.h"

namespace bouquet::training {

// What becomes of a row; an InvalidArgument makes it a bad row, any other error ends the run.
using TakeRow = std::function<absl::Status(int32_t entity, std::span<const AttributeValue> row)>;
// Whether a value can be one of attribute `attribute`; an InvalidArgument says why not.
using CheckValue = std::function<absl::Status(size_t attribute, const AttributeValue& value)>;

// Whose a row of a file is.
struct RowOwner {
  int32_t entity = kNone;   // kNone: of nobody who is learned from
  size_t row = 0;           // numbers the ids that rows are of, those with an entity of their own as these
  uint16_t rank = 0;        // of the id in its person
  bool is_shared = false;   // rows of other ids may be of the same person
  bool was_erased = false;  // the id was, and a file cannot tell whether it said so before: nobody's
};

class EntityRows {
 public:
  // Without `stored` what files say is all there is. What is passed outlives this.
  EntityRows(const IdMap& ids, const std::vector<TypedAttribute>& attributes, const StoredAttributes* stored);

  // Begins a pass. What `check` lets pass is no bad row; it is not asked where there is no store.
  void start(TakeRow take, CheckValue check);
  RowOwner owner_of(std::string_view id);
  // A row of a file, whose values live during the call. Errors: those of TakeRow.
  absl::Status add(const RowOwner& owner, std::span<const AttributeValue> row);
  // After all rows of files: takes those of merged ids, and of whom the store alone says something. Errors: those of TakeRow.
  absl::Status finish();

  // Of this pass.
  bool has_row(int32_t entity) const { return has_row_[static_cast<size_t>(entity)] != 0; }
  int64_t stored_rows() const { return stored_ == nullptr ? 0 : stored_->size(); }
  int64_t unknown_stored() const { return unknown_stored_; }                           // of them, of persons who are no entity
  int64_t unusable(size_t attribute) const { return unusable_[attribute]; }            // words that cannot be of the attribute's type
  const std::string& why_unusable(size_t attribute) const { return why_[attribute]; }  // the first of them

 private:
  struct HeldRow {
    uint16_t rank = 0;
    std::vector<AttributeValue> values;  // texts are in arena_
  };

  absl::Status hold(const RowOwner& owner, std::span<const AttributeValue> row);
  absl::Status take_held(int32_t entity, std::vector<HeldRow>& held);
  absl::Status take_with_stored(int32_t entity, int32_t person);
  // Lays what the store says of `person` (kNone: nothing) over row_.
  void lay_over(int32_t person);

  const IdMap& ids_;
  const StoredAttributes* const stored_;
  std::vector<int32_t> attribute_of_;  // by the store's names: the attribute, or kNone
  const size_t attribute_count_;
  TakeRow take_;
  CheckValue check_;
  IdMap members_;  // ids that have no entity of their own
  std::vector<uint8_t> has_row_;
  std::map<int32_t, std::vector<HeldRow>> held_;  // by entity
  TextArena arena_;
  std::vector<AttributeValue> row_;
  int64_t unknown_stored_ = 0;
  std::vector<int64_t> unusable_;
  std::vector<std::string> why_;
};

}  // namespace bouquet::training
