#include "training/stored_attributes.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace bouquet::training {
namespace {

using Kind = AttributeValue::Kind;

// The place of `customer` among the ids of their person.
uint16_t rank_of(const EventSource& store, std::string_view customer) {
  const std::vector<std::string> person = store.person_of(customer);
  return static_cast<uint16_t>(std::ranges::find(person, customer) - person.begin());
}

}  // namespace

StoredValue::StoredValue(uint32_t name, uint16_t rank, const AttributeValue& value, TextArena& arena)
    : name_(name), rank_(rank), kind_(value.kind), number_(value.number) {
  if (kind_ == Kind::kText) {
    size_ = static_cast<uint32_t>(value.text.size());
    first_ = arena.copy(value.text).data();
  } else if (kind_ == Kind::kTexts) {
    const auto texts = arena.array<std::string_view>(value.texts.size());
    for (size_t i = 0; i < texts.size(); ++i) texts[i] = arena.copy(value.texts[i]);
    size_ = static_cast<uint32_t>(texts.size());
    first_ = texts.data();
  } else if (kind_ == Kind::kVector) {
    const auto numbers = arena.array<float>(value.vector.size());
    std::ranges::copy(value.vector, numbers.begin());
    size_ = static_cast<uint32_t>(numbers.size());
    first_ = numbers.data();
  }
}

AttributeValue StoredValue::value() const {
  switch (kind_) {
    case Kind::kMissing: break;
    case Kind::kNumber: return AttributeValue::of_number(number_);
    case Kind::kFlag: return AttributeValue::of_flag(number_ != 0);
    case Kind::kText: return AttributeValue::of_text({static_cast<const char*>(first_), size_});
    case Kind::kTexts: return AttributeValue::of_texts({static_cast<const std::string_view*>(first_), size_});
    case Kind::kVector: return AttributeValue::of_vector({static_cast<const float*>(first_), size_});
  }
  return {};
}

absl::StatusOr<std::shared_ptr<const StoredAttributes>> StoredAttributes::read(std::shared_ptr<EventSource> store) {
  std::shared_ptr<StoredAttributes> read(new StoredAttributes);
  read->store_ = std::move(store);
  absl::flat_hash_map<std::string, uint32_t> numbers;
  std::string customer;
  int32_t person = 0;
  uint16_t rank = 0;
  const auto take = [&](const SourceAttribute& said) {
    if (read->values_.empty() || customer != said.customer) {
      customer = said.customer;
      const std::string root = read->store_->root_of(customer);
      person = read->roots_.add(root);
      rank = root == customer ? 0 : rank_of(*read->store_, customer);
      read->values_.resize(static_cast<size_t>(read->roots_.size()));
    }
    const auto [name, is_new] = numbers.try_emplace(std::string(said.name), static_cast<uint32_t>(numbers.size()));
    if (is_new) read->names_.push_back(name->first);
    read->values_[static_cast<size_t>(person)].emplace_back(name->second, rank, said.value, read->arena_);
    return absl::OkStatus();
  };
  if (absl::Status s = read->store_->read_attributes(take); !s.ok()) return s;
  read->put_in_order();
  return read;
}

void StoredAttributes::put_in_order() {
  std::vector<uint32_t> order(names_.size()), place(names_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, {}, [&](uint32_t name) { return std::string_view(names_[name]); });
  std::vector<std::string> sorted;
  for (uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    sorted.push_back(std::move(names_[order[i]]));
  }
  names_ = std::move(sorted);
  for (std::vector<StoredValue>& values : values_) {
    for (StoredValue& value : values) value.name_ = place[value.name_];
    std::ranges::sort(values, {}, [](const StoredValue& value) { return std::tuple(value.name(), value.rank()); });
    values.shrink_to_fit();
  }
}

}  // namespace bouquet::training
