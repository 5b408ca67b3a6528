// The catalog of a model that serves, with what has changed since its training: what filters, kinds and availability leave at this moment,
// and what answers say of an item. A change takes time in proportion to the items that changed lately, not to the catalog: changed rows
// stand in layers over the model's catalog, each with whole rows, the newest on top; neighbours of like size are merged, so that there
// are about log2(changed rows) of them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/catalog_item.h"
#include "engine/views.h"
#include "server/filter_cache.h"

namespace bouquet::server {

// A set of kinds: bit 1 << static_cast<int>(ItemKind).
using KindSet = uint8_t;
inline constexpr KindSet kAllKinds = (1 << kItemKindCount) - 1;

// How many filters' bitmaps are kept, of item_count / 8 bytes each.
inline constexpr size_t kCachedFilters = 64;

// Which items an answer may be made of, apart from those that its request excludes by id.
struct ItemSelection {
  BitmapView bitmap;           // over items; without words: every one
  FilterCache::Bitmap filter;  // what keeps `bitmap` alive

  bool allows(ItemIndex item) const { return bitmap.words.empty() || bitmap.test(item); }
};

// What is known of one item now.
struct ItemChange {
  ItemIndex item = 0;
  std::optional<CatalogItem> now;  // none: deleted, never to be offered
};

// Thread-safe.
class LiveCatalog {
 public:
  using Clock = std::function<absl::Time()>;

  // `base`, of `item_count` rows, outlives this.
  LiveCatalog(const Catalog& base, int64_t item_count, Clock clock = absl::Now);

  // The items of `kinds` that are available now and for which `filter` (engine/item_filter.h) is true; an empty filter is true for every
  // item. A filter that was asked for lately is not compiled again. Errors: those of items_passing.
  absl::StatusOr<ItemSelection> select(KindSet kinds, const std::string& filter) const;

  // Every answer that begins afterwards goes by `changes`, of different items. Attributes that no item had before get the types in
  // `added`; those that have one keep it.
  void apply(std::vector<ItemChange> changes, std::span<const CatalogColumn> added);

  // What items may have beside kind, title and category: the model's columns and those added.
  std::vector<CatalogColumn> columns() const;
  // None: deleted.
  std::optional<CatalogItem> item(ItemIndex item) const;

  // For answers: calls `use(kind, title, category)`.
  template <typename Use>
  void describe(ItemIndex item, const Use& use) const {
    const std::shared_ptr<const State> state = state_now();
    const Place place = state->place_of(item);
    const Catalog& catalog = place.layer == nullptr ? base_ : place.layer->catalog;
    const int64_t row = place.layer == nullptr ? item : place.row;
    use(catalog.kind(row), catalog.titles.at(row), catalog.categories.at(row));
  }

 private:
  struct Layer {
    std::vector<ItemIndex> items;  // ascending
    Catalog catalog;               // a row for each
    std::vector<uint8_t> deleted;  // for each
    int64_t rows() const { return static_cast<int64_t>(items.size()); }
  };
  struct Place {
    const Layer* layer = nullptr;  // none: the base
    int64_t row = 0;
  };
  struct State {
    std::vector<std::shared_ptr<const Layer>> layers;  // the newest last
    std::vector<CatalogColumn> added;
    std::vector<uint64_t> offered;  // what is available; empty: everything
    absl::Time next;                // when that changes
    mutable FilterCache selections{kCachedFilters};

    Place place_of(ItemIndex item) const;
  };

  std::shared_ptr<const State> state_now() const;
  std::shared_ptr<const State> made(std::vector<std::shared_ptr<const Layer>> layers, std::vector<CatalogColumn> added) const;
  static std::shared_ptr<const Layer> layer_of(std::vector<ItemChange> changes, std::span<const CatalogColumn> columns);
  static std::vector<ItemChange> rows_of(const Layer& layer);
  std::vector<CatalogColumn> columns_with(std::span<const CatalogColumn> added) const;
  absl::StatusOr<std::vector<uint64_t>> words_of(const State& state, KindSet kinds, const std::string& filter) const;
  std::string moment() const;
  void make_kind_filters();

  const Catalog& base_;
  const int64_t item_count_;
  const Clock clock_;
  KindSet present_kinds_ = 0;                                      // of the base
  std::array<std::vector<uint64_t>, kAllKinds + 1> kind_filters_;  // of the base, by KindSet; empty where no filter is needed
  mutable FilterCache base_filters_{kCachedFilters};               // of the base, by text
  mutable std::mutex base_mutex_;
  mutable std::optional<Availability> base_availability_;  // guarded by base_mutex_; right until its `next`
  std::mutex changes_;                                     // one change at a time
  mutable std::mutex mutex_;                               // guards state_
  mutable std::shared_ptr<const State> state_;
};

}  // namespace bouquet::server
