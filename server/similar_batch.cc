#include "server/similar_batch.h"

#include <algorithm>
#include <string>

#include "engine/errors.h"
#include "server/answer_rows.h"
#include "server/item_reasons.h"

namespace bouquet::server {
namespace {

// Levenshtein distance, or `limit` if it is at least that. Rows of at most 128 bytes (ids are no longer).
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit;
  size_t row[kMaxIdBytes + 1];
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0], best = i;
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
      best = std::min(best, row[j]);
    }
    if (best >= limit) return limit;
  }
  return std::min(row[b.size()], limit);
}

// The id nearest to `id`, at most two edits away, among the first million; empty if there is none.
std::string_view nearest_id(const IdTable& items, std::string_view id) {
  std::string_view nearest;
  size_t distance = 3;
  for (int32_t i = 0; i < std::min(items.size(), 1000000) && distance > 1; ++i)
    if (const size_t d = edit_distance(id, items.id(i), distance); d < distance) {
      distance = d;
      nearest = items.id(i);
    }
  return nearest;
}

}  // namespace

absl::Status unknown_item(const IdTable& items, std::string_view id) {
  std::string message = "the model knows no item '" + std::string(id) + "'";
  if (const auto near = nearest_id(items, id); !near.empty()) message += "; the nearest id is '" + std::string(near) + "'";
  return missing_input(message);
}

void SimilarBatch::add(const v1::SimilarItemsRequest& request, v1::SimilarItemsResponse* response, absl::Status* status) {
  const IdTable& ids = served_.artifact().item_ids;
  const ItemIndex item = ids.find(request.item_id());
  if (item == kNone) {
    *status = unknown_item(ids, request.item_id());
    return;
  }
  auto wanted = wanted_rows(served_, settings_.placements, row_question(request, false));
  if (!wanted.ok()) {
    *status = wanted.status();
    return;
  }
  excluded_.assign(1, item);
  append_known(ids, request.exclude_item_ids(), excluded_);
  make_ascending_set(excluded_);
  const int32_t k = wanted->k;
  const int32_t query = ranking_->add_row(item, {excluded_, wanted->selection.bitmap}, k);
  plans_.push_back(
      {response, status, &request.placement(), item, k, query, request.explain() != v1::EXPLAIN_UNSPECIFIED, std::move(wanted->selection)});
}

void SimilarBatch::finish(const absl::Status& ranked) {
  for (const Plan& plan : plans_) {
    *plan.status = ranked;
    if (!ranked.ok()) continue;
    const auto rows = ranking_->rows(plan.query);
    const auto scores = ranking_->scores(plan.query);
    for (size_t i = 0; i < rows.size(); ++i) {
      v1::RecommendedItem* row = plan.response->add_results();
      write_item(served_, rows[i], std::clamp(scores[i], -1.0f, 1.0f), v1::SOURCE_ITEM_SIMILARITY, row);
      if (plan.explain) add_pair_reasons(served_, plan.item, rows[i], row);
    }
    plan.response->set_model_version(served_.version());
    plan.response->set_backend(served_.backend_name());
    if (settings_.names != nullptr)
      plan.response->set_recommendation_id(settings_.names->seal(name_now("SimilarItems", served_.version(), *plan.placement, plan.k)));
    add_shortfall(served_, plan.k, plan.response->results_size(), plan.response);
  }
}

}  // namespace bouquet::server
