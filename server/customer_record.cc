#include "server/customer_record.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "engine/errors.h"
#include "server/timestamps.h"

namespace bouquet::server {

absl::Status CustomerRecord::read(const KnownOfCustomers& known, const std::string& customer_id, v1::Profile profile) {
  store_ = known.store;
  names_ = known.names;
  profile_ = std::move(profile);
  if (store_ == nullptr) return absl::OkStatus();
  erasure_ = store_->erasures().find(customer_id);
  const std::vector<std::string> person = store_->merges().person_of(customer_id);
  if (absl::Status s = read_merges(person); !s.ok()) return s;
  for (const std::string& id : person)
    if (absl::Status s = read_id(id); !s.ok()) return s;
  std::ranges::stable_sort(events_, {}, [](const Recorded& recorded) { return recorded.event.time; });
  std::ranges::stable_sort(attributes_, {}, [](const v1::ExportedAttribute& said) { return std::string_view(said.name()); });
  return absl::OkStatus();
}

// Those that hold are in memory, by ids; those that were taken back stand in the store alone, by numbers.
absl::Status CustomerRecord::read_merges(const std::vector<std::string>& person) {
  absl::flat_hash_set<CustomerNumber> numbers;
  for (const std::string& id : person) {
    const auto number = store_->find_customer(id);
    if (!number.ok()) return number.status();
    if (*number) numbers.insert(**number);
  }
  std::vector<MergeRecord> records;
  const absl::Status read = store_->scan_merges([&](const MergeRecord& record) {
    if (numbers.contains(record.from) || numbers.contains(record.into)) records.push_back(record);
    return true;
  });
  if (!read.ok()) return read;
  std::ranges::sort(records, {}, &MergeRecord::sequence);
  for (const MergeRecord& record : records) {
    const auto from = store_->customer_id(record.from), into = store_->customer_id(record.into);
    for (const auto* id : {&from, &into})
      if (!id->ok() && !absl::IsNotFound(id->status())) return id->status();
    v1::ExportedMerge& out = merges_.emplace_back();
    out.set_from_customer_id(from.value_or(std::string()));
    out.set_into_customer_id(into.value_or(std::string()));
    *out.mutable_merge_time() = timestamp(record.time);
    out.set_undone_version(static_cast<int64_t>(record.undone));
  }
  return absl::OkStatus();
}

absl::Status CustomerRecord::read_id(const std::string& id) {
  if (absl::Status s = read_answers(id); !s.ok()) return s;
  const auto customer = store_->find_customer(id);
  if (!customer.ok() || !*customer) return customer.status();
  std::vector<StoredEvent> events;
  if (absl::Status s = store_->events().events_of(**customer, {}, events); !s.ok()) return s;
  for (StoredEvent& event : events) events_.push_back({std::move(event), id});
  auto said = store_->attributes_of(**customer);
  if (!said.ok()) return said.status();
  for (auto& [name, value] : said->values) {
    v1::ExportedAttribute& out = attributes_.emplace_back();
    out.set_name(name);
    *out.mutable_value() = std::move(value);
    out.set_customer_id(id);
  }
  return absl::OkStatus();
}

absl::Status CustomerRecord::read_answers(const std::string& id) {
  absl::Status parsed;
  const absl::Status read = store_->scan_answers(id, [&](const AnswerEntry& entry) {
    v1::ExportedAnswer& out = answers_.emplace_back();
    if (names_ != nullptr) out.set_recommendation_id(names_->seal(entry.logged.name()));
    *out.mutable_answer_time() = timestamp(entry.logged.name().time());
    *out.mutable_keep_until() = timestamp(entry.keep_until);
    if (!out.mutable_request()->ParseFromString(entry.logged.inputs()))
      parsed = bad_input("the store: what came with a request is damaged");
    out.set_customer_id(id);
  });
  return read.ok() ? parsed : read;
}

bool CustomerRecord::next(v1::ExportCustomerResponse& piece) {
  piece.Clear();
  size_t place = at_++;
  if (place < merges_.size()) {
    *piece.mutable_merge() = merges_[place];
    return true;
  }
  place -= merges_.size();
  if (place < events_.size()) {
    write_event(events_[place], piece.mutable_event());
    return true;
  }
  place -= events_.size();
  if (place < attributes_.size()) {
    *piece.mutable_attribute() = attributes_[place];
    return true;
  }
  place -= attributes_.size();
  if (place < answers_.size()) {
    *piece.mutable_answer() = answers_[place];
    return true;
  }
  if (profile_) {
    *piece.mutable_profile() = *std::exchange(profile_, std::nullopt);
    return true;
  }
  if (!erasure_) return false;
  piece.mutable_erasure()->set_receipt_id(store_->receipt_id_of(erasure_->sequence));
  *piece.mutable_erasure()->mutable_erase_time() = timestamp(erasure_->time);
  erasure_.reset();
  return true;
}

void CustomerRecord::write_event(const Recorded& recorded, v1::ExportedEvent* out) const {
  const StoredEvent& event = recorded.event;
  v1::Event& said = *out->mutable_event();
  said.set_item_id(store_->item_ids().name(event.item));
  said.set_type(store_->event_types().name(event.type));
  *said.mutable_time() = timestamp(event.time);
  said.set_value(event.value);
  said.set_basket_id(event.details.basket_id);
  if (event.details.price) said.set_price(*event.details.price);
  said.set_recommendation_id(event.details.recommendation_id);
  said.set_placement(event.details.placement);
  out->set_profile_version(static_cast<int64_t>(event.sequence));
  out->set_customer_id(recorded.customer_id);
}

}  // namespace bouquet::server
