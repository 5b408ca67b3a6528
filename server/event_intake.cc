#include "server/event_intake.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/errors.h"
#include "server/request_limits.h"
#include "server/timestamps.h"

namespace bouquet::server {
namespace {

constexpr char kDefaultType[] = "purchase";

void refuse(EventBatch& batch, int row, absl::StatusCode code, std::string message) {
  v1::EventResult& result = *batch.results->Mutable(row);
  result.set_code(static_cast<int>(code));
  result.set_message(std::move(message));
  ++batch.failed;
}

// Whether the row is one for the store.
bool check(EventBatch& batch, int row) {
  const v1::CustomerEvent& said = batch.said->Get(row);
  if (const char* problem = id_problem(said.customer_id())) {
    refuse(batch, row, absl::StatusCode::kInvalidArgument, std::string("customer_id: ") + problem);
    return false;
  }
  const auto [field, problem] = event_problem(said.event());
  if (field == nullptr) return true;
  refuse(batch, row, absl::StatusCode::kInvalidArgument, std::string("event.") + field + ": " + problem);
  return false;
}

NewEvent new_event(const v1::CustomerEvent& said) {
  const v1::Event& event = said.event();
  NewEvent out{.customer_id = said.customer_id(),
               .item_id = event.item_id(),
               .type = event.type().empty() ? std::string_view(kDefaultType) : std::string_view(event.type()),
               .time = std::nullopt,
               .value = event.has_value() ? event.value() : 1,
               .event_id = event.event_id(),
               .basket_id = event.basket_id(),
               .price = std::nullopt,
               .recommendation_id = event.recommendation_id(),
               .placement = event.placement()};
  if (event.has_time()) out.time = microseconds(event.time());
  if (event.has_price()) out.price = event.price();
  return out;
}

// An error of the store itself, as opposed to one of the row.
bool is_store_error(const absl::Status& status) { return !status.ok() && !is_refusal(status); }

// The receipt of what the store has just done, or did when the request came first.
absl::Status write_receipt(const EventStore& store, const Outcome& outcome, v1::EraseCustomerResponse* response) {
  if (!outcome.status.ok()) return outcome.status;
  const auto receipt = store.receipt_of(outcome.sequence);
  if (!receipt.ok()) return receipt.status();
  response->set_receipt_id(store.receipt_id_of(outcome.sequence));
  *response->mutable_erase_time() = timestamp(receipt->time());
  response->set_profile_version(static_cast<int64_t>(outcome.sequence));
  response->set_events(receipt->events());
  response->set_attributes(receipt->attributes());
  response->set_answers(receipt->answers());
  response->set_repeated_request(outcome.repeated);
  return absl::OkStatus();
}

// The merge that an outcome is of, written as far as it is still there: who was erased since is nobody's merge any more.
template <typename Write>
absl::Status write_merge(const EventStore& store, const Outcome& outcome, const std::string& from, const Write& write) {
  if (!outcome.status.ok()) return outcome.status;
  const auto merge = store.merge_of(from, outcome.sequence);
  if (absl::IsNotFound(merge.status())) return absl::OkStatus();
  if (!merge.ok()) return merge.status();
  write(*merge);
  return absl::OkStatus();
}

absl::Status write_merged(const EventStore& store, const Outcome& outcome, const std::string& from, v1::MergeCustomersResponse* response) {
  response->set_customer_id(store.merges().root_of(from));
  response->set_profile_version(static_cast<int64_t>(outcome.sequence));
  response->set_repeated_request(outcome.repeated);
  return write_merge(store, outcome, from, [&](const MergeRecord& merge) {
    *response->mutable_merge_time() = timestamp(merge.time);
    *response->mutable_undo_until() = timestamp(merge.time + absl::ToInt64Microseconds(kUndoWindow));
  });
}

absl::Status write_unmerged(const EventStore& store, const Outcome& outcome, const std::string& from,
                            v1::UnmergeCustomersResponse* response) {
  response->set_profile_version(static_cast<int64_t>(outcome.sequence));
  response->set_repeated_request(outcome.repeated);
  absl::Status read;
  absl::Status found = write_merge(store, outcome, from, [&](const MergeRecord& merge) {
    const auto into = store.customer_id(merge.into);
    if (into.ok()) response->set_customer_id(*into);
    if (!absl::IsNotFound(into.status())) read = into.status();
  });
  return found.ok() ? read : found;
}

}  // namespace

absl::Status EventIntake::ready() const {
  if (store_ != nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError("the server keeps nothing of customers: start it with --store DIR");
}

// A group is written whole or not at all, so that an error of the store is one of the whole call.
absl::Status EventIntake::answer(EventBatch& batch, std::span<const Outcome> outcomes) const {
  for (const Outcome& outcome : outcomes)
    if (is_store_error(outcome.status)) return outcome.status;
  int64_t unknown = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    v1::EventResult& result = *batch.results->Mutable(batch.rows[i]);
    if (!outcome.status.ok()) {
      result.clear_unknown_item();
      refuse(batch, batch.rows[i], outcome.status.code(), "event." + std::string(message_of(outcome.status)));
      continue;
    }
    result.set_profile_version(static_cast<int64_t>(outcome.sequence));
    result.set_repeated_event(outcome.repeated);
    unknown += result.unknown_item() && !outcome.repeated ? 1 : 0;
  }
  if (metrics_ != nullptr && unknown > 0) metrics_->unknown_items(unknown);
  return absl::OkStatus();
}

void EventIntake::record(EventBatch& batch, bool validate_only, Done done, Unwanted unwanted) {
  if (absl::Status s = ready(); !s.ok()) return done(s);
  batch.events.clear();
  batch.rows.clear();
  batch.results->Reserve(batch.said->size());
  const auto models = models_();
  for (int row = 0; row < batch.said->size(); ++row) {
    batch.results->Add();
    if (!check(batch, row)) continue;
    batch.events.push_back(new_event(batch.said->Get(row)));
    batch.rows.push_back(row);
    const std::string_view item = batch.events.back().item_id;
    if (!models.empty() && std::ranges::none_of(models, [&](const auto& model) { return model->artifact().item_ids.find(item) != kNone; }))
      batch.results->Mutable(row)->set_unknown_item(true);
  }
  if (validate_only || batch.events.empty()) return done(absl::OkStatus());
  const absl::Status taken = store_->append(
      batch.events, [this, &batch, done](std::span<const Outcome> outcomes) { done(answer(batch, outcomes)); }, std::move(unwanted));
  if (!taken.ok()) done(taken);
}

void EventIntake::set_attributes(const v1::SetAttributesRequest& request, v1::SetAttributesResponse* response, Done done,
                                 Unwanted unwanted) {
  absl::Status s = ready();
  if (!s.ok() || request.validate_only()) return done(s);
  s = store_->set_attributes(
      {.customer_id = request.customer_id(), .request_id = request.request_id(), .values = &request.attributes()},
      [response, done](std::span<const Outcome> outcomes) {
        response->set_profile_version(static_cast<int64_t>(outcomes[0].sequence));
        response->set_repeated_request(outcomes[0].repeated);
        done(outcomes[0].status);
      },
      std::move(unwanted));
  if (!s.ok()) done(s);
}

void EventIntake::erase(const v1::EraseCustomerRequest& request, v1::EraseCustomerResponse* response, Done done, Unwanted unwanted) {
  absl::Status s = ready();
  if (!s.ok() || request.validate_only()) return done(s);
  s = store_->erase_customer(
      {.customer_id = request.customer_id(), .request_id = request.request_id()},
      [this, response, done](std::span<const Outcome> outcomes) { done(write_receipt(*store_, outcomes[0], response)); },
      std::move(unwanted));
  if (!s.ok()) done(s);
}

void EventIntake::merge(const v1::MergeCustomersRequest& request, v1::MergeCustomersResponse* response, Done done, Unwanted unwanted) {
  absl::Status s = ready();
  if (s.ok() && request.validate_only()) s = store_->merges().check_merge(request.from_customer_id(), request.into_customer_id());
  if (!s.ok() || request.validate_only()) return done(s);
  const std::string& from = request.from_customer_id();
  s = store_->merge_customers(
      {.from_customer_id = from, .into_customer_id = request.into_customer_id(), .request_id = request.request_id()},
      [this, &from, response, done](std::span<const Outcome> outcomes) { done(write_merged(*store_, outcomes[0], from, response)); },
      std::move(unwanted));
  if (!s.ok()) done(s);
}

void EventIntake::unmerge(const v1::UnmergeCustomersRequest& request, v1::UnmergeCustomersResponse* response, Done done,
                          Unwanted unwanted) {
  absl::Status s = ready();
  if (s.ok() && request.validate_only()) s = store_->check_unmerge(request.from_customer_id());
  if (!s.ok() || request.validate_only()) return done(s);
  const std::string& from = request.from_customer_id();
  s = store_->unmerge_customers(
      {.from_customer_id = from, .request_id = request.request_id()},
      [this, &from, response, done](std::span<const Outcome> outcomes) { done(write_unmerged(*store_, outcomes[0], from, response)); },
      std::move(unwanted));
  if (!s.ok()) done(s);
}

}  // namespace bouquet::server
