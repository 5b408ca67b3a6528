// One published model, ready to answer: the artifact, its copy in the backend's memory, and what every answer needs beside them.
// Immutable but for its catalog, and shared between threads; a request holds one from its beginning to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/added_items.h"
#include "engine/artifact.h"
#include "engine/backend.h"
#include "engine/content_index.h"
#include "server/category_means.h"
#include "server/live_catalog.h"

namespace bouquet::server {

// Every row of `rows`, of length `d`, divided by its length; a zero row stays zero and is similar to nothing.
std::vector<float> unit_rows(std::span<const float> rows, int64_t d);

// The stored profiles as what is ranked, with length 1, so that a score is a cosine.
struct CustomerSimilarity {
  SharedArray<float> units;  // [customer_count, d]
  std::shared_ptr<const LoadedModel> model;
  MatrixView<const float> unit_matrix;  // `units`
  std::vector<uint64_t> known;          // bitmap of the customers whose profile is not zero
};

class ServedModel : public std::enable_shared_from_this<ServedModel> {
 public:
  // Loads `artifact` into `backend`, which outlives the result. Errors: those of Backend::load.
  static absl::StatusOr<std::shared_ptr<const ServedModel>> load(std::shared_ptr<const Artifact> artifact, Backend& backend);

  // This model with items behind its own that it was not trained with, and a catalog in which nothing has changed yet. It must have items.
  // Errors: those of LoadedModel::with.
  absl::StatusOr<std::shared_ptr<const ServedModel>> with(AddedItems added) const;
  // The model that with() was asked of: without the items that were added. nullptr: this is it.
  const std::shared_ptr<const ServedModel>& trained() const { return trained_; }
  const AddedItems& added() const { return added_; }  // then; none: this is it
  int32_t trained_item_count() const { return trained_ == nullptr ? item_count() : trained_->item_count(); }

  const Artifact& artifact() const { return *artifact_; }
  const std::string& version() const { return artifact_->version; }
  const std::string& backend_name() const { return backend_name_; }
  int32_t item_count() const { return artifact_->model.item_count(); }
  int32_t dimension() const { return artifact_->model.dimension; }

  // nullptr when the model has no items: nothing can be ranked.
  const LoadedModel* profiles() const { return profiles_.get(); }
  // The items against themselves with vectors of length 1, so that a score is a cosine; queries by row are item indices.
  const LoadedModel* similarity() const { return similarity_.get(); }
  std::span<const float> unit_vector(ItemIndex item) const {
    return unit_vectors_.view().subspan(static_cast<size_t>(item) * static_cast<size_t>(dimension()), static_cast<size_t>(dimension()));
  }

  // All items by falling number of customers, equal numbers by index.
  std::span<const ItemIndex> by_popularity() const { return by_popularity_; }
  int32_t customers_of(ItemIndex item) const { return artifact_->item_customers.empty() ? 0 : artifact_->item_customers[item]; }

  // Made when it is first asked for, and kept; it takes as much memory as the profiles, twice where the backend has its own. Errors: those
  // of Backend::load; the next call tries again.
  absl::StatusOr<const CustomerSimilarity*> customer_similarity() const;
  // Likewise made when it is first asked for.
  const CategoryMeans& categories() const;

  // What the content path to items that come later is made of; likewise. nullptr: the model has no such path.
  const ContentIndex* content_index() const;

  // What items are and which may be offered, as known now. Changes concern requests that begin afterwards.
  LiveCatalog& catalog() const { return *catalog_; }

 private:
  ServedModel() = default;
  absl::Status load_similarity(Backend& backend);
  void order_by_popularity();

  std::shared_ptr<const ServedModel> trained_;
  AddedItems added_;
  std::shared_ptr<const Artifact> artifact_;
  Backend* backend_ = nullptr;
  std::string backend_name_;
  std::shared_ptr<const LoadedModel> profiles_;
  std::shared_ptr<const LoadedModel> similarity_;
  SharedArray<float> unit_vectors_;  // [item_count, d]
  std::vector<ItemIndex> by_popularity_;
  mutable std::optional<LiveCatalog> catalog_;
  mutable std::mutex lazy_mutex_;  // guards the making of the next three
  mutable std::optional<CustomerSimilarity> customer_similarity_;
  mutable std::optional<CategoryMeans> categories_;
  mutable std::optional<ContentIndex> content_index_;
};

}  // namespace bouquet::server
