#include "server/live_catalog.h"

#include <algorithm>
#include <utility>

#include "engine/item_filter.h"

namespace bouquet::server {
namespace {

std::vector<uint64_t> every_item(int64_t count) {
  std::vector<uint64_t> words(static_cast<size_t>(bitmap_word_count(count)), ~uint64_t{0});
  if (count % 64 != 0) words.back() = (uint64_t{1} << (count % 64)) - 1;
  return words;
}

bool test(std::span<const uint64_t> words, int64_t row) { return (words[static_cast<size_t>(row >> 6)] >> (row & 63) & 1) != 0; }

void set(std::vector<uint64_t>& words, int64_t row, bool value) {
  uint64_t& word = words[static_cast<size_t>(row >> 6)];
  const uint64_t bit = uint64_t{1} << (row & 63);
  word = value ? word | bit : word & ~bit;
}

bool has(KindSet kinds, ItemKind kind) { return ((kinds >> static_cast<int>(kind)) & 1) != 0; }

void keep_earlier(std::string& next, const std::string& other) {
  if (!other.empty() && (next.empty() || other < next)) next = other;
}

// Of what is no time, the far future: it then compares as text alone.
absl::Time time_of(const std::string& text) {
  absl::Time time;
  return !text.empty() && absl::ParseTime(kMomentFormat, text, &time, nullptr) ? time : absl::InfiniteFuture();
}

}  // namespace

LiveCatalog::LiveCatalog(const Catalog& base, int64_t item_count, Clock clock)
    : base_(base), item_count_(item_count), clock_(std::move(clock)) {
  make_kind_filters();
  state_ = made({}, {});
}

void LiveCatalog::make_kind_filters() {
  for (int64_t i = 0; i < item_count_; ++i) present_kinds_ |= static_cast<KindSet>(1 << static_cast<int>(base_.kind(i)));
  for (int kinds = 1; kinds <= kAllKinds; ++kinds) {
    if ((present_kinds_ & ~kinds) == 0) continue;
    auto& words = kind_filters_[static_cast<size_t>(kinds)];
    words.assign(static_cast<size_t>(bitmap_word_count(item_count_)), 0);
    for (int64_t i = 0; i < item_count_; ++i)
      if (has(static_cast<KindSet>(kinds), base_.kind(i))) words[static_cast<size_t>(i >> 6)] |= uint64_t{1} << (i & 63);
  }
}

std::string LiveCatalog::moment() const { return absl::FormatTime(kMomentFormat, clock_(), absl::UTCTimeZone()); }

LiveCatalog::Place LiveCatalog::State::place_of(ItemIndex item) const {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    const auto at = std::lower_bound((*layer)->items.begin(), (*layer)->items.end(), item);
    if (at != (*layer)->items.end() && *at == item) return {layer->get(), at - (*layer)->items.begin()};
  }
  return {};
}

std::shared_ptr<const LiveCatalog::State> LiveCatalog::made(std::vector<std::shared_ptr<const Layer>> layers,
                                                            std::vector<CatalogColumn> added) const {
  auto state = std::make_shared<State>();
  const std::string now = moment();
  std::string next;
  bool all = true;
  {
    const std::lock_guard lock(base_mutex_);
    if (!base_availability_ || (!base_availability_->next.empty() && now >= base_availability_->next))
      base_availability_ = availability(base_, item_count_, now);
    state->offered = base_availability_->bitmap;
    next = base_availability_->next;
    all = base_availability_->all;
  }
  for (const auto& layer : layers) {
    const Availability own = availability(layer->catalog, layer->rows(), now);
    for (int64_t r = 0; r < layer->rows(); ++r) {
      const bool offered = test(own.bitmap, r) && layer->deleted[static_cast<size_t>(r)] == 0;
      set(state->offered, layer->items[static_cast<size_t>(r)], offered);
      all = all && offered;
    }
    keep_earlier(next, own.next);
  }
  if (all) state->offered.clear();
  state->next = time_of(next);
  state->layers = std::move(layers);
  state->added = std::move(added);
  return state;
}

std::shared_ptr<const LiveCatalog::State> LiveCatalog::state_now() const {
  const std::lock_guard lock(mutex_);
  if (state_->next != absl::InfiniteFuture() && clock_() >= state_->next) state_ = made(state_->layers, state_->added);
  return state_;
}

absl::StatusOr<ItemSelection> LiveCatalog::select(KindSet kinds, const std::string& filter) const {
  const std::shared_ptr<const State> state = state_now();
  const bool of_every_kind = kinds == kAllKinds || (state->layers.empty() && (present_kinds_ & ~kinds) == 0);
  if (filter.empty() && of_every_kind && state->offered.empty()) return ItemSelection{};
  const std::string key = static_cast<char>(kinds) + filter;
  FilterCache::Bitmap bitmap = state->selections.find(key);
  if (bitmap == nullptr) {
    auto words = words_of(*state, kinds, filter);
    if (!words.ok()) return words.status();
    bitmap = std::make_shared<const std::vector<uint64_t>>(*std::move(words));
    state->selections.add(key, bitmap);
  }
  return ItemSelection{.bitmap = {*bitmap}, .filter = bitmap};
}

absl::StatusOr<std::vector<uint64_t>> LiveCatalog::words_of(const State& state, KindSet kinds, const std::string& filter) const {
  std::vector<uint64_t> words;
  if (filter.empty()) {
    words = every_item(item_count_);
  } else if (const FilterCache::Bitmap known = base_filters_.find(filter); known != nullptr) {
    words = *known;
  } else {
    auto passing = items_passing(filter, base_, item_count_, state.added);
    if (!passing.ok()) return passing.status();
    base_filters_.add(filter, std::make_shared<const std::vector<uint64_t>>(*passing));
    words = *std::move(passing);
  }
  if (const std::vector<uint64_t>& of_kinds = kind_filters_[kinds]; !of_kinds.empty())
    for (size_t w = 0; w < words.size(); ++w) words[w] &= of_kinds[w];
  const std::vector<CatalogColumn> columns = columns_with(state.added);
  for (const auto& layer : state.layers) {
    std::vector<uint64_t> own = every_item(layer->rows());
    if (!filter.empty()) {
      auto passing = items_passing(filter, layer->catalog, layer->rows(), columns);
      if (!passing.ok()) return passing.status();
      own = *std::move(passing);
    }
    for (int64_t r = 0; r < layer->rows(); ++r)
      set(words, layer->items[static_cast<size_t>(r)], test(own, r) && has(kinds, layer->catalog.kind(r)));
  }
  if (!state.offered.empty())
    for (size_t w = 0; w < words.size(); ++w) words[w] &= state.offered[w];
  return words;
}

std::vector<CatalogColumn> LiveCatalog::columns_with(std::span<const CatalogColumn> added) const {
  std::vector<CatalogColumn> columns = base_.columns.columns;
  columns.insert(columns.end(), added.begin(), added.end());
  return columns;
}

std::vector<CatalogColumn> LiveCatalog::columns() const { return columns_with(state_now()->added); }

std::optional<CatalogItem> LiveCatalog::item(ItemIndex item) const {
  const std::shared_ptr<const State> state = state_now();
  const Place place = state->place_of(item);
  if (place.layer == nullptr) return item_at(base_, item_count_, item);
  if (place.layer->deleted[static_cast<size_t>(place.row)] != 0) return std::nullopt;
  return item_at(place.layer->catalog, place.layer->rows(), place.row);
}

std::shared_ptr<const LiveCatalog::Layer> LiveCatalog::layer_of(std::vector<ItemChange> changes, std::span<const CatalogColumn> columns) {
  std::sort(changes.begin(), changes.end(), [](const ItemChange& a, const ItemChange& b) { return a.item < b.item; });
  auto layer = std::make_shared<Layer>();
  std::vector<CatalogItem> items;
  for (ItemChange& change : changes) {
    layer->items.push_back(change.item);
    layer->deleted.push_back(change.now ? 0 : 1);
    items.push_back(change.now ? *std::move(change.now) : CatalogItem{});
  }
  layer->catalog = catalog_of(items, columns);
  return layer;
}

std::vector<ItemChange> LiveCatalog::rows_of(const Layer& layer) {
  std::vector<ItemChange> rows;
  for (int64_t r = 0; r < layer.rows(); ++r) {
    ItemChange& row = rows.emplace_back(ItemChange{layer.items[static_cast<size_t>(r)], {}});
    if (layer.deleted[static_cast<size_t>(r)] == 0) row.now = item_at(layer.catalog, layer.rows(), r);
  }
  return rows;
}

void LiveCatalog::apply(std::vector<ItemChange> changes, std::span<const CatalogColumn> added) {
  if (changes.empty()) return;
  const std::lock_guard lock(changes_);
  const std::shared_ptr<const State> before = state_now();
  std::vector<CatalogColumn> more = before->added;
  std::vector<CatalogColumn> columns = columns_with(more);
  for (const CatalogColumn& column : added) {
    if (columns.size() >= kMaxCatalogColumns) break;
    if (std::ranges::any_of(columns, [&](const CatalogColumn& known) { return known.name == column.name; })) continue;
    more.push_back(column);
    columns.push_back(column);
  }
  std::vector<std::shared_ptr<const Layer>> layers = before->layers;
  // A merged layer is at least twice as large as the one above it, so that a row is merged about log2(rows) times.
  while (!layers.empty() && layers.back()->items.size() <= 2 * changes.size()) {
    std::vector<ItemIndex> changed;
    for (const ItemChange& change : changes) changed.push_back(change.item);
    std::sort(changed.begin(), changed.end());
    for (ItemChange& row : rows_of(*layers.back()))
      if (!std::binary_search(changed.begin(), changed.end(), row.item)) changes.push_back(std::move(row));
    layers.pop_back();
  }
  layers.push_back(layer_of(std::move(changes), columns));
  auto after = made(std::move(layers), std::move(more));
  const std::lock_guard state_lock(mutex_);
  state_ = std::move(after);
}

}  // namespace bouquet::server
