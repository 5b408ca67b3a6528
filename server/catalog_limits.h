// What calls of the Catalog service may hold, checked before anything else looks at it.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "bouquet/v1/catalog.pb.h"

namespace bouquet::server {

inline constexpr int32_t kMaxUpsertedItems = 1000;
inline constexpr int32_t kMaxItemAttributes = 1000;
inline constexpr size_t kMaxItemTextBytes = 1024;  // of titles and categories; texts of attributes: kMaxAttributeTextBytes
inline constexpr int32_t kMaxItemPage = 1000;
inline constexpr int32_t kDefaultItemPage = 50;

// Whether a field of Item has that name, so that `attributes` may not.
bool is_item_field(std::string_view name);

// Errors: InvalidArgument with google.rpc.BadRequest, naming every field that is out of range.
absl::Status validate(const v1::UpsertItemsRequest& request);
absl::Status validate(const v1::DeleteItemsRequest& request);
absl::Status validate(const v1::GetItemRequest& request);
absl::Status validate(const v1::ListItemsRequest& request);

}  // namespace bouquet::server
