// What calls have said of items: kept in the store, and carried into every model that serves. A change is durable first, then effective,
// then acknowledged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bouquet/v1/catalog.pb.h"
#include "server/catalog_entries.h"
#include "server/catalog_store.h"
#include "server/served_model.h"

namespace bouquet::server {

// Thread-safe. Requests have been validated (catalog_limits.h).
class ItemCatalog {
 public:
  using Clock = std::function<absl::Time()>;

  // `database` outlives the catalog; none: nothing can be changed, and models serve as they were made. Errors: those of
  // CatalogStore::open.
  static absl::StatusOr<std::unique_ptr<ItemCatalog>> open(StoreDatabase* database, Clock clock = absl::Now);

  // `model` with everything that was said, and from now on with every change as long as it lives; where it can place items (new_items.h),
  // with those that it was not trained with. Returns `model` itself if there is nothing new to place. That items cannot be placed is
  // logged, and they are left out. Of a column that models have different types for, calls are held to that of the model that `decides`.
  // Errors: DataLoss (the store).
  absl::StatusOr<std::shared_ptr<const ServedModel>> prepared(const std::shared_ptr<const ServedModel>& model, bool decides = true);
  // Whether a valid request says something of items that makes `model` worth preparing again: new ones, or other attributes of such.
  static bool concerns_places(const v1::UpsertItemsRequest& request, const ServedModel& model);

  // Whether the request_id was known, so that nothing changed. Errors: FailedPrecondition (no store), InvalidArgument with BadRequest (an
  // attribute of another type than it has, a deleted id without new_generation), those of CatalogStore::write.
  absl::StatusOr<bool> upsert(const v1::UpsertItemsRequest& request);
  absl::StatusOr<bool> remove(const v1::DeleteItemsRequest& request);

  // Of `model`, which may be none, and the store. Errors: NotFound, DataLoss.
  absl::Status get(const v1::GetItemRequest& request, const ServedModel* model, v1::Item* out) const;
  absl::Status list(const v1::ListItemsRequest& request, const std::shared_ptr<const ServedModel>& model, v1::ListItemsResponse* out) const;

 private:
  explicit ItemCatalog(Clock clock) : clock_(std::move(clock)) {}
  absl::StatusOr<CatalogEntry> changed(const v1::Item& said, const std::string& field, AttributeTypes& types) const;
  absl::StatusOr<bool> write(const std::string& request_id, const std::vector<CatalogEntry>& entries, AttributeTypes types);
  void apply(const ServedModel& model, std::span<const CatalogEntry> entries) const;
  std::shared_ptr<const ServedModel> with_new_items(const std::shared_ptr<const ServedModel>& trained,
                                                    const std::vector<CatalogEntry>& entries) const;
  // The row of `id` in the model, kNone if it has none or one that stands for what the id was before.
  static ItemIndex row_of(const ServedModel& model, const CatalogEntry* entry, const std::string& id);
  // False: deleted.
  bool describe(const std::string& id, const CatalogEntry* entry, const ServedModel* model, v1::Item* out) const;
  std::shared_ptr<const std::vector<ItemIndex>> in_order(const std::shared_ptr<const ServedModel>& model) const;

  const Clock clock_;
  std::unique_ptr<CatalogStore> store_;
  mutable std::mutex changes_;  // one change at a time; guards the rest
  AttributeTypes types_ = types_of_item_fields();
  std::vector<std::weak_ptr<const ServedModel>> models_;
  mutable std::weak_ptr<const ServedModel> ordered_model_;
  mutable std::shared_ptr<const std::vector<ItemIndex>> ordered_;  // its items by their ids
};

}  // namespace bouquet::server
