#include "server/served_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace bouquet::server {
std::vector<float> unit_rows(std::span<const float> rows, int64_t d) {
  std::vector<float> unit(rows.begin(), rows.end());
  for (size_t begin = 0; begin < unit.size(); begin += static_cast<size_t>(d)) {
    double square = 0;
    for (int64_t j = 0; j < d; ++j)
      square += static_cast<double>(unit[begin + static_cast<size_t>(j)]) * unit[begin + static_cast<size_t>(j)];
    if (square == 0) continue;
    const double scale = 1 / std::sqrt(square);
    for (int64_t j = 0; j < d; ++j) {
      float& value = unit[begin + static_cast<size_t>(j)];
      value = static_cast<float>(value * scale);
    }
  }
  return unit;
}

absl::StatusOr<std::shared_ptr<const ServedModel>> ServedModel::load(std::shared_ptr<const Artifact> artifact, Backend& backend) {
  std::shared_ptr<ServedModel> served(new ServedModel());
  served->artifact_ = std::move(artifact);
  served->backend_ = &backend;
  served->backend_name_ = std::string(backend.name());
  if (served->item_count() > 0) {
    auto loaded = backend.load(served->artifact_->model);
    if (!loaded.ok()) return loaded.status();
    served->profiles_ = *std::move(loaded);
    if (absl::Status s = served->load_similarity(backend); !s.ok()) return s;
  }
  served->catalog_.emplace(served->artifact_->catalog, served->item_count());
  served->order_by_popularity();
  return served;
}

absl::StatusOr<std::shared_ptr<const ServedModel>> ServedModel::with(AddedItems added) const {
  std::shared_ptr<ServedModel> served(new ServedModel());
  served->trained_ = shared_from_this();
  served->backend_ = backend_;
  served->backend_name_ = backend_name_;
  const auto count = static_cast<int64_t>(added.ids.size());
  auto profiles = profiles_->with({.items = {added.vectors.data(), count, dimension()}});
  if (!profiles.ok()) return profiles.status();
  const std::vector<float> unit = unit_rows(added.vectors, dimension());
  const MatrixView<const float> units{unit.data(), count, dimension()};
  auto similarity = similarity_->with({.items = units, .customers = units});
  if (!similarity.ok()) return similarity.status();
  served->profiles_ = *std::move(profiles);
  served->similarity_ = *std::move(similarity);
  served->artifact_ = std::make_shared<const Artifact>(with_items(*artifact_, added));
  std::vector<float> all_units(unit_vectors_.begin(), unit_vectors_.end());
  all_units.insert(all_units.end(), unit.begin(), unit.end());
  served->unit_vectors_ = std::move(all_units);
  served->added_ = std::move(added);
  served->catalog_.emplace(served->artifact_->catalog, served->item_count());
  served->order_by_popularity();
  return served;
}

absl::Status ServedModel::load_similarity(Backend& backend) {
  const Model& model = artifact_->model;
  unit_vectors_ = unit_rows(model.item_vectors.view(), model.dimension);
  // No profile is ever solved with this model, so the Gram matrix only has to be one; the trained items' own will do.
  Model similarity{.dimension = model.dimension,
                   .profiles = unit_vectors_,
                   .item_vectors = unit_vectors_,
                   .item_gram = model.item_gram,
                   .customer_prior = {},
                   .item_prior = {},
                   .constants = model.constants};
  auto loaded = backend.load(similarity);
  if (!loaded.ok()) return loaded.status();
  similarity_ = *std::move(loaded);
  return absl::OkStatus();
}

absl::StatusOr<const CustomerSimilarity*> ServedModel::customer_similarity() const {
  // Customers are the same with items that were added.
  if (trained_ != nullptr) return trained_->customer_similarity();
  const std::lock_guard lock(lazy_mutex_);
  if (customer_similarity_) return &*customer_similarity_;
  const Model& model = artifact_->model;
  CustomerSimilarity made;
  made.units = unit_rows(model.profiles.view(), model.dimension);
  made.unit_matrix = {made.units.data(), model.customer_count(), model.dimension};
  made.known.resize(static_cast<size_t>(bitmap_word_count(model.customer_count())));
  for (int32_t u = 0; u < model.customer_count(); ++u)
    if (std::ranges::any_of(made.unit_matrix.row(u), [](float x) { return x != 0; }))
      made.known[static_cast<size_t>(u >> 6)] |= uint64_t{1} << (u & 63);
  // As in load_similarity: no profile is ever solved with it.
  auto loaded = backend_->load({.dimension = model.dimension,
                                .profiles = {},
                                .item_vectors = made.units,
                                .item_gram = model.item_gram,
                                .customer_prior = {},
                                .item_prior = {},
                                .constants = model.constants});
  if (!loaded.ok()) return loaded.status();
  made.model = *std::move(loaded);
  customer_similarity_ = std::move(made);
  return &*customer_similarity_;
}

const CategoryMeans& ServedModel::categories() const {
  if (trained_ != nullptr) return trained_->categories();
  const std::lock_guard lock(lazy_mutex_);
  if (!categories_) categories_ = category_means(*artifact_);
  return *categories_;
}

const ContentIndex* ServedModel::content_index() const {
  if (trained_ != nullptr) return trained_->content_index();
  if (artifact_->item_attributes.table.empty() || artifact_->content_links.weight == 0) return nullptr;
  const std::lock_guard lock(lazy_mutex_);
  if (!content_index_) {
    std::vector<uint8_t> has_events(static_cast<size_t>(item_count()), 0);
    for (const int32_t item : artifact_->histories.items) has_events[static_cast<size_t>(item)] = 1;
    content_index_.emplace(artifact_->item_attributes.table.rows(), has_events);
  }
  return &*content_index_;
}

void ServedModel::order_by_popularity() {
  by_popularity_.resize(static_cast<size_t>(item_count()));
  std::iota(by_popularity_.begin(), by_popularity_.end(), 0);
  std::stable_sort(by_popularity_.begin(), by_popularity_.end(),
                   [this](ItemIndex a, ItemIndex b) { return customers_of(a) > customers_of(b); });
}

}  // namespace bouquet::server
