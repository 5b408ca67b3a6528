// One published model, ready to answer: the artifact, its copy in the backend's memory, and what every answer needs beside them.
// Immutable but for a cache, and shared between threads; a request holds one from its beginning to its end.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "engine/backend.h"
#include "server/filter_cache.h"

namespace bouquet::server {

// A set of kinds: bit 1 << static_cast<int>(ItemKind).
using KindSet = uint8_t;
inline constexpr KindSet kAllKinds = (1 << kItemKindCount) - 1;

// Which items an answer may be made of, apart from those that its request excludes by id.
struct ItemSelection {
  BitmapView bitmap;           // over items; without words: every one
  FilterCache::Bitmap filter;  // what keeps `bitmap` alive, where the model itself does not

  bool allows(ItemIndex item) const { return bitmap.words.empty() || bitmap.test(item); }
};

// How many filters' bitmaps a model keeps, of item_count / 8 bytes each.
inline constexpr size_t kCachedFilters = 64;

class ServedModel {
 public:
  // Loads `artifact` into `backend`, which outlives the result. Errors: those of Backend::load.
  static absl::StatusOr<std::shared_ptr<const ServedModel>> load(std::shared_ptr<const Artifact> artifact, Backend& backend);

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

  // The items of `kinds` for which `filter` (engine/item_filter.h) is true; an empty filter is true for every item. A filter that was
  // asked for lately is not compiled again. Valid as long as the selection and the model are. Errors: those of items_passing.
  absl::StatusOr<ItemSelection> select(KindSet kinds, const std::string& filter) const;

 private:
  ServedModel() = default;
  absl::Status load_similarity(Backend& backend);
  bool allows_every_item(KindSet kinds) const { return (present_kinds_ & ~kinds) == 0; }
  void make_kind_filters();
  void order_by_popularity();

  std::shared_ptr<const Artifact> artifact_;
  std::string backend_name_;
  std::shared_ptr<const LoadedModel> profiles_;
  std::shared_ptr<const LoadedModel> similarity_;
  SharedArray<float> unit_vectors_;  // [item_count, d]
  std::vector<ItemIndex> by_popularity_;
  KindSet present_kinds_ = 0;
  std::array<std::vector<uint64_t>, kAllKinds + 1> kind_filters_;  // by KindSet; empty where no filter is needed
  mutable FilterCache filters_{kCachedFilters};                    // by kinds and text
};

}  // namespace bouquet::server
