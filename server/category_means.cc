#include "server/category_means.h"

#include <algorithm>

namespace bouquet::server {
namespace {

void add_to(std::span<const float> row, double* sums) {
  for (size_t j = 0; j < row.size(); ++j) sums[j] += double{row[j]};
}

std::vector<double> mean_profile(const Model& model) {
  std::vector<double> mean(static_cast<size_t>(model.dimension), 0);
  for (int32_t u = 0; u < model.customer_count(); ++u) add_to(model.profile_matrix().row(u), mean.data());
  for (double& x : mean) x /= std::max(model.customer_count(), 1);
  return mean;
}

}  // namespace

CategoryMeans category_means(const Artifact& artifact) {
  const Model& model = artifact.model;
  const auto d = static_cast<size_t>(model.dimension);
  const StringColumn& categories = artifact.catalog.categories;
  CategoryMeans means;
  for (int32_t i = 0; i < model.item_count(); ++i)
    if (const std::string_view name = categories.at(i); !name.empty()) means.names.emplace_back(name);
  std::ranges::sort(means.names);
  means.names.erase(std::unique(means.names.begin(), means.names.end()), means.names.end());
  std::vector<double> sums(means.names.size() * d, 0);
  means.item_counts.resize(means.names.size(), 0);
  means.category_of.resize(static_cast<size_t>(model.item_count()), kNone);
  for (int32_t i = 0; i < model.item_count(); ++i) {
    const std::string_view name = categories.at(i);
    if (name.empty()) continue;
    const auto c = static_cast<size_t>(std::ranges::lower_bound(means.names, name) - means.names.begin());
    means.category_of[static_cast<size_t>(i)] = static_cast<int32_t>(c);
    ++means.item_counts[c];
    add_to(model.item_matrix().row(i), &sums[c * d]);
  }
  const std::vector<double> profile = mean_profile(model);
  means.vectors.resize(sums.size());
  means.averages.resize(means.names.size(), 0);
  for (size_t c = 0; c < means.names.size(); ++c)
    for (size_t j = 0; j < d; ++j) {
      means.vectors[c * d + j] = static_cast<float>(sums[c * d + j] / means.item_counts[c]);
      means.averages[c] += double{means.vectors[c * d + j]} * profile[j];
    }
  return means;
}

}  // namespace bouquet::server
