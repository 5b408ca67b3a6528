#include "server/customer_record.h"

#include <utility>

#include "server/timestamps.h"

namespace bouquet::server {

absl::Status CustomerRecord::read(const EventStore* store, const std::string& customer_id, v1::Profile profile) {
  store_ = store;
  profile_ = std::move(profile);
  if (store == nullptr) return absl::OkStatus();
  erasure_ = store->erasures().find(customer_id);
  const auto customer = store->find_customer(customer_id);
  if (!customer.ok() || !*customer) return customer.status();
  if (absl::Status s = store->events().events_of(**customer, {}, events_); !s.ok()) return s;
  auto said = store->attributes_of(**customer);
  if (!said.ok()) return said.status();
  for (auto& [name, value] : said->values) attributes_.emplace_back(name, std::move(value));
  return absl::OkStatus();
}

bool CustomerRecord::next(v1::ExportCustomerResponse& piece) {
  piece.Clear();
  size_t place = at_++;
  if (place < events_.size()) {
    write_event(events_[place], piece.mutable_event());
    return true;
  }
  place -= events_.size();
  if (place < attributes_.size()) {
    piece.mutable_attribute()->set_name(attributes_[place].first);
    *piece.mutable_attribute()->mutable_value() = attributes_[place].second;
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

void CustomerRecord::write_event(const StoredEvent& event, v1::ExportedEvent* out) const {
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
}

}  // namespace bouquet::server
