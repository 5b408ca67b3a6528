#include "cli/store_events.h"

#include <utility>
#include <vector>

#include "server/attribute_values.h"
#include "server/event_store/store_snapshot.h"

namespace bouquet::cli {
namespace {

class StoreEvents final : public training::EventSource {
 public:
  explicit StoreEvents(std::unique_ptr<server::StoreSnapshot> snapshot) : snapshot_(std::move(snapshot)) {}

  absl::Status read(const std::function<absl::Status(const training::SourceEvent&)>& take) override {
    return snapshot_->read([&](const server::StoreSnapshot::Row& row) {
      return take({.customer = row.customer_id,
                   .item = row.item_id,
                   .type = row.type,
                   .basket = row.event->details.basket_id,
                   .time = row.event->time,
                   .value = row.event->value});
    });
  }
  absl::Status read_attributes(const std::function<absl::Status(const training::SourceAttribute&)>& take) override {
    std::vector<std::string_view> texts;
    return snapshot_->read_attributes([&](std::string_view customer, std::string_view name, const v1::AttributeValue& value) {
      return take({.customer = customer, .name = name, .value = server::attribute_value(value, texts)});
    });
  }
  std::string identity() const override { return snapshot_->store_identity(); }
  uint64_t newest_sequence() const override { return snapshot_->newest_sequence(); }
  std::string root_of(std::string_view customer) const override { return snapshot_->merges().root_of(customer); }
  std::vector<std::string> person_of(std::string_view customer) const override { return snapshot_->merges().person_of(customer); }
  absl::StatusOr<std::vector<std::string>> taken_apart_since(uint64_t since) const override { return snapshot_->taken_apart_since(since); }
  std::optional<training::SourceErasure> erasure_of(std::string_view customer) const override {
    const auto erasure = snapshot_->erasures().find(customer);
    return erasure ? std::optional(training::SourceErasure{erasure->sequence, erasure->time}) : std::nullopt;
  }

 private:
  const std::unique_ptr<server::StoreSnapshot> snapshot_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<training::EventSource>> open_store_events(const std::string& folder) {
  auto snapshot = server::StoreSnapshot::open(folder);
  if (!snapshot.ok()) return snapshot.status();
  return std::make_unique<StoreEvents>(*std::move(snapshot));
}

}  // namespace bouquet::cli
