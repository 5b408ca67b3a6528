// What a request may hold, checked before anything else looks at it. Needs no model: whatever depends on one is checked where it is used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "bouquet/v1/audiences.pb.h"
#include "bouquet/v1/profiles.pb.h"
#include "bouquet/v1/recommendations.pb.h"

namespace bouquet::server {

inline constexpr int32_t kDefaultK = 10;
inline constexpr int32_t kMaxRequestK = 1000;
inline constexpr int32_t kMaxContextItems = 100;
inline constexpr int32_t kMaxGroup = 20;
inline constexpr int32_t kMaxBasketItems = 100;
inline constexpr int32_t kMaxExcludedItems = 10000;
inline constexpr int32_t kMaxVisitorEvents = 10000;
inline constexpr int32_t kMaxRecordedEvents = 10000;
inline constexpr int32_t kMaxSetAttributes = 1000;
inline constexpr size_t kMaxAttributeTextBytes = 65536;  // of SetAttributes and UpsertItems
inline constexpr size_t kMaxRecommendationIdBytes = 1024;
inline constexpr int32_t kMaxKinds = 16;
inline constexpr int32_t kMaxExplainedItems = 100;
inline constexpr int32_t kDefaultInterests = 10;
inline constexpr int32_t kMaxInterests = 100;
inline constexpr int32_t kMaxNeighbors = 100;
inline constexpr int32_t kMaxShownHistory = 1000;
inline constexpr int32_t kMaxExcludedCustomers = 10000;
inline constexpr int32_t kMaxAttributes = 5000;
inline constexpr double kMaxExplorationScale = 10;
inline constexpr int32_t kMaxContacts = 1000;
inline constexpr int32_t kMaxPackedColumns = 50000;
inline constexpr int32_t kMaxBatchedRequests = 1000;

// Errors: InvalidArgument with google.rpc.BadRequest (bad_request.h), naming every field that is out of range. Messages never repeat
// a customer's id.
absl::Status validate(const v1::RecommendRequest& request);
absl::Status validate(const v1::SimilarItemsRequest& request);
absl::Status validate(const v1::CrossSellRequest& request);
absl::Status validate(const v1::ExplainRequest& request);
absl::Status validate(const v1::NextBestActionRequest& request);
absl::Status validate(const v1::GetProfileRequest& request);
absl::Status validate(const v1::SimilarCustomersRequest& request);
absl::Status validate(const v1::BatchRecommendRequest& request);  // the number of requests alone: each is checked when its turn comes
// The number of events alone: each has an answer of its own (event_problem).
absl::Status validate(const v1::RecordEventsRequest& request);
absl::Status validate(const v1::StreamEventsRequest& request);
absl::Status validate(const v1::SetAttributesRequest& request);
absl::Status validate(const v1::EraseCustomerRequest& request);
absl::Status validate(const v1::ExportCustomerRequest& request);
absl::Status validate(const v1::MergeCustomersRequest& request);
absl::Status validate(const v1::UnmergeCustomersRequest& request);

// What is wrong with an event, as (field, problem); no field if nothing is.
std::pair<const char*, const char*> event_problem(const v1::Event& event);

// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF).
bool is_utf8(std::string_view text);

// What is wrong with an id, or nullptr.
const char* id_problem(const std::string& id);

// The rows that a valid request asks for.
inline int32_t rows_wanted(int32_t k) { return k == 0 ? kDefaultK : k; }

}  // namespace bouquet::server
