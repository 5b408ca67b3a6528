#include "training/entity_rows.h"

#include <algorithm>
#include <utility>

namespace bouquet::training {
namespace {

AttributeValue copy_of(const AttributeValue& value, TextArena& arena) { return StoredValue(0, 0, value, arena).value(); }

}  // namespace

EntityRows::EntityRows(const IdMap& ids, const std::vector<TypedAttribute>& attributes, const StoredAttributes* stored)
    : ids_(ids),
      stored_(stored),
      attribute_count_(attributes.size()),
      row_(attributes.size()),
      unusable_(attributes.size()),
      why_(attributes.size()) {
  if (stored == nullptr) return;
  for (const std::string& name : stored->names()) {
    const auto at = std::ranges::find(attributes, name, &TypedAttribute::name);
    attribute_of_.push_back(at == attributes.end() ? kNone : static_cast<int32_t>(at - attributes.begin()));
  }
}

void EntityRows::start(TakeRow take, CheckValue check) {
  take_ = std::move(take);
  check_ = std::move(check);
  has_row_.assign(static_cast<size_t>(ids_.size()), 0);
  unknown_stored_ = 0;
  std::ranges::fill(unusable_, 0);
}

RowOwner EntityRows::owner_of(std::string_view id) {
  const int32_t own = ids_.find(id);
  if (stored_ == nullptr) return {.entity = own, .row = static_cast<size_t>(own)};
  const EventSource& store = stored_->store();
  if (store.erasure_of(id)) return {.was_erased = true};
  const std::vector<std::string> person = store.person_of(id);
  if (person.size() == 1) return {.entity = own, .row = static_cast<size_t>(own)};
  return {.entity = ids_.find(person.front()),
          .row = static_cast<size_t>(ids_.size()) + static_cast<size_t>(members_.add(id)),
          .rank = static_cast<uint16_t>(std::ranges::find(person, id) - person.begin()),
          .is_shared = true};
}

absl::Status EntityRows::add(const RowOwner& owner, std::span<const AttributeValue> row) {
  if (owner.is_shared) return hold(owner, row);
  const int32_t person = stored_ == nullptr ? kNone : stored_->find(ids_.id(owner.entity));
  absl::Status taken;
  if (person == kNone) {
    taken = take_(owner.entity, row);
  } else {
    std::ranges::copy(row, row_.begin());
    lay_over(person);
    taken = take_(owner.entity, row_);
  }
  has_row_[static_cast<size_t>(owner.entity)] = taken.ok();
  return taken;
}

absl::Status EntityRows::hold(const RowOwner& owner, std::span<const AttributeValue> row) {
  HeldRow held{.rank = owner.rank, .values = {}};
  for (size_t a = 0; a < row.size(); ++a) {
    if (absl::Status s = check_(a, row[a]); !s.ok()) return s;
    held.values.push_back(copy_of(row[a], arena_));
  }
  held_[owner.entity].push_back(std::move(held));
  return absl::OkStatus();
}

void EntityRows::lay_over(int32_t person) {
  if (person == kNone) return;
  const std::span<const StoredValue> said = stored_->of(person);
  for (size_t i = 0; i < said.size();) {
    const uint32_t name = said[i].name();
    const int32_t attribute = attribute_of_[name];
    bool found = attribute == kNone;
    for (; i < said.size() && said[i].name() == name; ++i) {
      if (found) continue;
      const auto a = static_cast<size_t>(attribute);
      const AttributeValue value = said[i].value();
      const absl::Status usable = check_(a, value);
      found = usable.ok();
      if (found)
        row_[a] = value;
      else if (unusable_[a]++ == 0)
        why_[a] = std::string(usable.message());
    }
  }
}

absl::Status EntityRows::take_with_stored(int32_t entity, int32_t person) {
  lay_over(person);
  absl::Status taken = take_(entity, row_);
  has_row_[static_cast<size_t>(entity)] = taken.ok();
  return taken;
}

absl::Status EntityRows::take_held(int32_t entity, std::vector<HeldRow>& held) {
  std::ranges::sort(held, {}, &HeldRow::rank);
  for (size_t a = 0; a < attribute_count_; ++a) {
    // What could be a value when it was held may be none by now: of vectors the first one decides.
    const auto says =
        std::ranges::find_if(held, [&](const HeldRow& row) { return !row.values[a].is_missing() && check_(a, row.values[a]).ok(); });
    row_[a] = says == held.end() ? AttributeValue() : says->values[a];
  }
  return take_with_stored(entity, stored_->find(ids_.id(entity)));
}

absl::Status EntityRows::finish() {
  if (stored_ == nullptr) return absl::OkStatus();
  for (auto& [entity, held] : std::exchange(held_, {}))
    if (absl::Status s = take_held(entity, held); !s.ok()) return s;
  arena_.clear();
  for (int32_t person = 0; person < stored_->size(); ++person) {
    const int32_t entity = ids_.find(stored_->root(person));
    if (entity == kNone) {
      ++unknown_stored_;
    } else if (!has_row(entity)) {
      std::ranges::fill(row_, AttributeValue());
      if (absl::Status s = take_with_stored(entity, person); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

}  // namespace bouquet::training
