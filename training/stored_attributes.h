// What a store's server was told of its customers, for training: of merged customers together, laid over what files say of them.
//
// Of all that is said of one attribute of a person the first word counts that can be of the attribute's type: what the store has of any of
// their ids before what files have of any, and of each the root's before that of who is nearest to it (EventSource::person_of). In the
// store "missing" is a word; an empty field of a file is none. So does the server lay the store over the rows of a model
// (server/request_attributes.h): what is trained is what answers had before.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/attribute_value.h"
#include "engine/id_map.h"
#include "training/cell.h"
#include "training/event_source.h"

namespace bouquet::training {

// One word on one attribute. Small, because all of them are in memory at once: files have their rows in another order.
class StoredValue {
 public:
  // Texts and numbers are copied to `arena`.
  StoredValue(uint32_t name, uint16_t rank, const AttributeValue& value, TextArena& arena);

  AttributeValue value() const;
  uint32_t name() const { return name_; }  // of StoredAttributes::names()
  uint16_t rank() const { return rank_; }  // 0: of the root, or of whoever is merged with nobody

 private:
  friend class StoredAttributes;

  uint32_t name_;
  uint32_t size_ = 0;  // of text, texts or vector
  uint16_t rank_;
  AttributeValue::Kind kind_;
  union {
    double number_;
    const void* first_;  // of a text, texts or a vector
  };
};

// Immutable once it is read.
class StoredAttributes {
 public:
  // Errors: those of the store.
  static absl::StatusOr<std::shared_ptr<const StoredAttributes>> read(std::shared_ptr<EventSource> store);

  std::span<const std::string> names() const { return names_; }  // ascending
  // Persons of whom anything was said, in the order in which the store has met the first of their ids.
  int32_t size() const { return roots_.size(); }
  std::string_view root(int32_t person) const { return roots_.id(person); }
  int32_t find(std::string_view root) const { return roots_.find(root); }  // the person, or kNone
  // By name, of equal names by rank.
  std::span<const StoredValue> of(int32_t person) const { return values_[static_cast<size_t>(person)]; }

  const EventSource& store() const { return *store_; }

 private:
  StoredAttributes() = default;
  void put_in_order();

  std::shared_ptr<EventSource> store_;
  std::vector<std::string> names_;
  IdMap roots_;
  std::vector<std::vector<StoredValue>> values_;  // by person
  TextArena arena_;
};

}  // namespace bouquet::training
