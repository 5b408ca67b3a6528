#include "server/request_limits.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "engine/filter_syntax.h"
#include "engine/id_map.h"
#include "server/bad_request.h"
#include "server/placements.h"
#include "server/timestamps.h"

namespace bouquet::server {
namespace {

void check_id(const std::string& id, const char* field, FieldViolations& out) {
  if (const char* problem = id_problem(id)) out.add(field, problem);
}

template <typename Ids>
void check_ids(const Ids& ids, const char* field, int limit, FieldViolations& out) {
  if (ids.size() > limit) {
    out.add(field, "has " + std::to_string(ids.size()) + " ids; at most " + std::to_string(limit) + " are allowed");
    return;
  }
  for (int i = 0; i < ids.size(); ++i)
    if (const char* problem = id_problem(ids[i])) out.add(std::string(field) + "[" + std::to_string(i) + "]", problem);
}

void check_k(int32_t k, FieldViolations& out) {
  if (k < 0 || k > kMaxRequestK) out.add("k", "is " + std::to_string(k) + "; it must be 1 to 1000, or 0 for the default of 10");
}

template <typename Kinds>
void check_kinds(const Kinds& kinds, FieldViolations& out) {
  if (kinds.size() > kMaxKinds) {
    out.add("kinds", "has " + std::to_string(kinds.size()) + " entries; at most 16 are allowed");
    return;
  }
  for (int i = 0; i < kinds.size(); ++i)
    if (kinds.Get(i) < v1::ITEM_KIND_PRODUCT || kinds.Get(i) > v1::ITEM_KIND_ACTION)
      out.add("kinds[" + std::to_string(i) + "]",
              "is " + std::to_string(kinds.Get(i)) + "; it must be ITEM_KIND_PRODUCT, ITEM_KIND_CONTENT or ITEM_KIND_ACTION");
}

void check_filter(const std::string& filter, FieldViolations& out) {
  if (filter.size() > kMaxFilterBytes)
    out.add("filter", "has " + std::to_string(filter.size()) + " bytes; at most " + std::to_string(kMaxFilterBytes) + " are allowed");
  else if (!is_utf8(filter))
    out.add("filter", "is not valid UTF-8");
}

void check_placement(const std::string& placement, FieldViolations& out) {
  if (placement.size() > kMaxPlacementBytes) out.add("placement", "is longer than 64 bytes");
}

template <typename Events>
void check_events(const Events& events, const std::string& name, int limit, FieldViolations& out) {
  if (events.size() > limit) {
    out.add(name, "has " + std::to_string(events.size()) + " events; at most " + std::to_string(limit) + " are allowed");
    return;
  }
  for (int i = 0; i < events.size(); ++i)
    if (const auto [field, problem] = event_problem(events[i]); field != nullptr)
      out.add(name + "[" + std::to_string(i) + "]." + field, problem);
}

void check_visitor(const v1::Visitor& visitor, FieldViolations& out) {
  check_events(visitor.events(), "visitor.events", kMaxVisitorEvents, out);
}

void check_packed(const v1::PackedAttributes& packed, FieldViolations& out) {
  if (packed.attribute_schema().empty() || packed.attribute_schema().size() > 64)
    out.add("packed_attributes.attribute_schema", "must be a version that Models.GetModel tells");
  if (packed.columns_size() > kMaxPackedColumns)
    out.add("packed_attributes.columns", "has " + std::to_string(packed.columns_size()) + " entries; at most 50000 are allowed");
  if (packed.columns_size() != packed.numbers_size())
    out.add("packed_attributes.numbers",
            "has " + std::to_string(packed.numbers_size()) + " entries where `columns` has " + std::to_string(packed.columns_size()));
}

void check_group(const v1::RecommendRequest& request, FieldViolations& out) {
  const v1::Group& group = request.group();
  if (group.customer_ids().empty()) out.add("group.customer_ids", "is empty; a group has 1 to 20 customers");
  check_ids(group.customer_ids(), "group.customer_ids", kMaxGroup, out);
  std::vector<std::string_view> ids(group.customer_ids().begin(), group.customer_ids().end());
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) out.add("group.customer_ids", "names one customer twice");
  if (group.rule() < v1::GROUP_RULE_UNSPECIFIED || group.rule() > v1::GROUP_RULE_LEAST_MISERY)
    out.add("group.rule",
            "is " + std::to_string(group.rule()) + "; it must be GROUP_RULE_MEAN or GROUP_RULE_LEAST_MISERY, or 0 for the default");
}

// What is of one asker.
void check_alone(const v1::RecommendRequest& request, FieldViolations& out) {
  const auto refuse = [&](const char* field) { out.add(field, "cannot be combined with group: it is of one asker"); };
  if (request.attributes_size() != 0) refuse("attributes");
  if (request.has_packed_attributes()) refuse("packed_attributes");
  if (request.explain() != v1::EXPLAIN_UNSPECIFIED) refuse("explain");
  if (request.has_exploration()) refuse("exploration");
  if (request.include_stddev()) refuse("include_stddev");
}

void check_gift(const v1::RecommendRequest& request, FieldViolations& out) {
  if (request.recipient_id().empty()) return;
  check_id(request.recipient_id(), "recipient_id", out);
  if (request.has_visitor()) out.add("recipient_id", "cannot be combined with visitor: a gift is asked for by customers");
}

// An earlier moment is a customer's; an answer for a visitor has the events itself.
template <typename Request>
void check_as_of(const Request& request, FieldViolations& out) {
  if (!request.has_as_of() || request.subject_case() == Request::kCustomerId) return;
  if (request.subject_case() != Request::kVisitor || !request.as_of().has_recommendation_id())
    out.add("as_of", "is of a customer: set customer_id");
  else if (!request.visitor().events().empty())
    out.add("visitor.events", "are those of the answer: leave them out");
}

// Requests with a subject and attributes.
template <typename Request>
void check_asker(const Request& request, FieldViolations& out) {
  bool is_group = false;
  if constexpr (requires { request.group(); }) is_group = request.has_group();
  if (request.subject_case() == Request::kCustomerId)
    check_id(request.customer_id(), "customer_id", out);
  else if (request.subject_case() == Request::kVisitor)
    check_visitor(request.visitor(), out);
  else if (!is_group)
    out.add("subject", "is missing: set customer_id or visitor");
  if constexpr (requires { request.as_of(); }) check_as_of(request, out);
  if (request.attributes_size() > kMaxAttributes)
    out.add("attributes", "has " + std::to_string(request.attributes_size()) + " entries; at most 5000 are allowed");
  if (request.has_packed_attributes()) check_packed(request.packed_attributes(), out);
}

template <typename Request>
absl::Status validate_event_count(const Request& request) {
  FieldViolations out;
  if (request.events().empty() || request.events_size() > kMaxRecordedEvents)
    out.add("events", "has " + std::to_string(request.events_size()) + " events; it must have 1 to 10000");
  return out.status();
}

// nullptr: nothing.
const char* attribute_problem(const v1::AttributeValue& value) {
  const auto is_bad = [](const std::string& text) { return text.size() > kMaxAttributeTextBytes || !is_utf8(text); };
  if (value.has_number() && !std::isfinite(value.number())) return "is not finite";
  for (const float number : value.vector().values())
    if (!std::isfinite(number)) return "is not finite";
  bool bad = value.has_text() && is_bad(value.text());
  for (const std::string& text : value.texts().values()) bad = bad || is_bad(text);
  return bad ? "has a text that is longer than 64 KiB or not valid UTF-8" : nullptr;
}

void check_explain(v1::Explain explain, FieldViolations& out) {
  if (explain < v1::EXPLAIN_UNSPECIFIED || explain > v1::EXPLAIN_FULL)
    out.add("explain", "is " + std::to_string(explain) + "; it must be EXPLAIN_TOP or EXPLAIN_FULL, or 0 for the default");
}

void check_count(int32_t count, int32_t most, const char* field, FieldViolations& out) {
  if (count < 0 || count > most) out.add(field, "is " + std::to_string(count) + "; it must be 0 to " + std::to_string(most));
}

void check_exploration(const v1::RecommendRequest& request, FieldViolations& out) {
  if (!request.has_exploration()) return;
  const v1::Exploration& exploration = request.exploration();
  if (exploration.method() != v1::EXPLORATION_METHOD_THOMPSON && exploration.method() != v1::EXPLORATION_METHOD_UCB)
    out.add("exploration.method",
            "is " + std::to_string(exploration.method()) + "; it must be EXPLORATION_METHOD_THOMPSON or EXPLORATION_METHOD_UCB");
  if (!(exploration.scale() >= 0 && exploration.scale() <= kMaxExplorationScale))
    out.add("exploration.scale", "must be more than 0 and at most 10, or 0 for the default of 1");
  if (request.explain() != v1::EXPLAIN_UNSPECIFIED)
    out.add("exploration", "cannot be combined with explain: what ranks is not the score that is taken apart");
}

}  // namespace

bool is_utf8(std::string_view text) {
  constexpr uint64_t kNotAscii = 0x8080808080808080;
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  while (p < end) {
    if (uint64_t eight = 0; end - p >= 8 && (std::memcpy(&eight, p, 8), eight & kNotAscii) == 0) {
      p += 8;
      continue;
    }
    if (*p < 0x80) {
      ++p;
      continue;
    }
    const int length = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : 2;
    if (*p < 0xC2 || *p > 0xF4 || end - p < length) return false;
    for (int i = 1; i < length; ++i)
      if ((p[i] & 0xC0) != 0x80) return false;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
      return false;
    p += length;
  }
  return true;
}

const char* id_problem(const std::string& id) {
  if (id.empty()) return "must not be empty";
  if (id.size() > kMaxIdBytes) return "is longer than 128 bytes";
  if (!is_utf8(id)) return "is not valid UTF-8";
  return nullptr;
}

std::pair<const char*, const char*> event_problem(const v1::Event& event) {
  if (const char* problem = id_problem(event.item_id())) return {"item_id", problem};
  if (event.type().size() > 64) return {"type", "is longer than 64 bytes"};
  if (event.has_value() && (!std::isfinite(event.value()) || event.value() == 0)) return {"value", "must be finite and not 0"};
  if (event.has_time() && !is_timestamp(event.time())) return {"time", "is not a valid google.protobuf.Timestamp"};
  if (event.event_id().size() > kMaxIdBytes) return {"event_id", "is longer than 128 bytes"};
  if (event.basket_id().size() > kMaxIdBytes) return {"basket_id", "is longer than 128 bytes"};
  if (event.has_price() && !std::isfinite(event.price())) return {"price", "must be finite"};
  if (event.recommendation_id().size() > kMaxRecommendationIdBytes) return {"recommendation_id", "is longer than 1024 bytes"};
  if (event.placement().size() > kMaxPlacementBytes) return {"placement", "is longer than 64 bytes"};
  return {nullptr, nullptr};
}

absl::Status validate(const v1::RecordEventsRequest& request) { return validate_event_count(request); }
absl::Status validate(const v1::StreamEventsRequest& request) { return validate_event_count(request); }

absl::Status validate(const v1::SetAttributesRequest& request) {
  FieldViolations out;
  check_id(request.customer_id(), "customer_id", out);
  if (!request.request_id().empty()) check_id(request.request_id(), "request_id", out);
  if (request.attributes().empty() || request.attributes_size() > kMaxSetAttributes)
    out.add("attributes", "has " + std::to_string(request.attributes_size()) + " entries; it must have 1 to 1000");
  for (const auto& [name, value] : request.attributes()) {
    const std::string field = "attributes[\"" + name.substr(0, 64) + "\"]";
    if (const char* problem = id_problem(name)) out.add(field, std::string("has a name that ") + problem);
    if (const char* problem = attribute_problem(value)) out.add(field, problem);
  }
  return out.status();
}

absl::Status validate(const v1::EraseCustomerRequest& request) {
  FieldViolations out;
  check_id(request.customer_id(), "customer_id", out);
  if (!request.request_id().empty()) check_id(request.request_id(), "request_id", out);
  return out.status();
}

absl::Status validate(const v1::MergeCustomersRequest& request) {
  FieldViolations out;
  check_id(request.from_customer_id(), "from_customer_id", out);
  check_id(request.into_customer_id(), "into_customer_id", out);
  if (request.from_customer_id() == request.into_customer_id() && !request.from_customer_id().empty())
    out.add("into_customer_id", "is the same as from_customer_id; name two");
  if (!request.request_id().empty()) check_id(request.request_id(), "request_id", out);
  return out.status();
}

absl::Status validate(const v1::UnmergeCustomersRequest& request) {
  FieldViolations out;
  check_id(request.from_customer_id(), "from_customer_id", out);
  if (!request.request_id().empty()) check_id(request.request_id(), "request_id", out);
  return out.status();
}

absl::Status validate(const v1::ExportCustomerRequest& request) {
  FieldViolations out;
  check_id(request.customer_id(), "customer_id", out);
  return out.status();
}

absl::Status validate(const v1::RecommendRequest& request) {
  FieldViolations out;
  check_asker(request, out);
  check_ids(request.context_item_ids(), "context_item_ids", kMaxContextItems, out);
  check_k(request.k(), out);
  check_ids(request.exclude_item_ids(), "exclude_item_ids", kMaxExcludedItems, out);
  check_kinds(request.kinds(), out);
  check_filter(request.filter(), out);
  check_placement(request.placement(), out);
  check_explain(request.explain(), out);
  check_exploration(request, out);
  if (request.has_group()) check_group(request, out);
  if (request.has_group() && request.recipient_id().empty()) check_alone(request, out);
  check_gift(request, out);
  if (request.has_as_of() && !request.recipient_id().empty()) out.add("as_of", "cannot be combined with recipient_id");
  return out.status();
}

absl::Status validate(const v1::ExplainRequest& request) {
  FieldViolations out;
  check_asker(request, out);
  check_ids(request.context_item_ids(), "context_item_ids", kMaxContextItems, out);
  if (request.item_ids().empty()) out.add("item_ids", "is empty; name the items to explain");
  check_ids(request.item_ids(), "item_ids", kMaxExplainedItems, out);
  check_placement(request.placement(), out);
  check_explain(request.explain(), out);
  return out.status();
}

absl::Status validate(const v1::NextBestActionRequest& request) {
  FieldViolations out;
  check_asker(request, out);
  check_ids(request.context_item_ids(), "context_item_ids", kMaxContextItems, out);
  check_k(request.k(), out);
  check_ids(request.exclude_item_ids(), "exclude_item_ids", kMaxExcludedItems, out);
  check_filter(request.filter(), out);
  check_placement(request.placement(), out);
  check_explain(request.explain(), out);
  check_events(request.contacts(), "contacts", kMaxContacts, out);
  return out.status();
}

absl::Status validate(const v1::GetProfileRequest& request) {
  FieldViolations out;
  check_asker(request, out);
  check_count(request.interests(), kMaxInterests, "interests", out);
  check_count(request.neighbors(), kMaxNeighbors, "neighbors", out);
  check_count(request.history(), kMaxShownHistory, "history", out);
  check_placement(request.placement(), out);
  check_explain(request.explain(), out);
  return out.status();
}

absl::Status validate(const v1::SimilarCustomersRequest& request) {
  FieldViolations out;
  check_asker(request, out);
  check_k(request.k(), out);
  check_ids(request.exclude_customer_ids(), "exclude_customer_ids", kMaxExcludedCustomers, out);
  return out.status();
}

absl::Status validate(const v1::SimilarItemsRequest& request) {
  FieldViolations out;
  check_id(request.item_id(), "item_id", out);
  check_k(request.k(), out);
  check_ids(request.exclude_item_ids(), "exclude_item_ids", kMaxExcludedItems, out);
  check_kinds(request.kinds(), out);
  check_filter(request.filter(), out);
  check_placement(request.placement(), out);
  check_explain(request.explain(), out);
  return out.status();
}

absl::Status validate(const v1::CrossSellRequest& request) {
  FieldViolations out;
  if (request.item_ids().empty()) out.add("item_ids", "is empty; a basket needs at least one item");
  check_ids(request.item_ids(), "item_ids", kMaxBasketItems, out);
  check_k(request.k(), out);
  check_ids(request.exclude_item_ids(), "exclude_item_ids", kMaxExcludedItems, out);
  check_kinds(request.kinds(), out);
  check_filter(request.filter(), out);
  check_placement(request.placement(), out);
  check_explain(request.explain(), out);
  return out.status();
}

absl::Status validate(const v1::BatchRecommendRequest& request) {
  FieldViolations out;
  if (request.requests().empty() || request.requests_size() > kMaxBatchedRequests)
    out.add("requests", "has " + std::to_string(request.requests_size()) + " requests; it must have 1 to 1000");
  return out.status();
}

}  // namespace bouquet::server
