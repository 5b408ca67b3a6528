#include "training/content_links.h"

#include <atomic>
#include <thread>
#include <vector>

#include "engine/content_index.h"

namespace bouquet::training {
namespace {

std::vector<int32_t> items_without_events(const SparseRows& by_item) {
  std::vector<int32_t> out;
  for (int32_t i = 0; i < by_item.row_count(); ++i)
    if (by_item.row_length(i) == 0) out.push_back(i);
  return out;
}

}  // namespace

int64_t content_link_work(const AttributeRows& attributes, const SparseRows& by_item) {
  std::vector<int64_t> rows_of(static_cast<size_t>(attributes.column_count), 0), cold_of(rows_of);
  int64_t cold_items = 0;
  for (int64_t r = 0; r < attributes.rows(); ++r) {
    const bool cold = by_item.row_length(r) == 0;
    cold_items += cold ? 1 : 0;
    for (const int32_t c : attributes.row_columns(r)) {
      ++rows_of[static_cast<size_t>(c)];
      if (cold) ++cold_of[static_cast<size_t>(c)];
    }
  }
  int64_t work = cold_items * attributes.rows() * attributes.dense_count;
  for (size_t c = 0; c < rows_of.size(); ++c) work += rows_of[c] * cold_of[c];
  return work;
}

ContentLinks link_content(const AttributeRows& attributes, const SparseRows& by_item, const Model& model, double weight, int32_t threads) {
  ContentLinks none;
  none.weight = weight;
  if (attributes.column_count == 0 || weight == 0) return none;
  const std::vector<int32_t> cold = items_without_events(by_item);
  if (cold.empty()) return none;
  std::vector<uint8_t> has_events(static_cast<size_t>(by_item.row_count()), 1);
  for (const int32_t item : cold) has_events[static_cast<size_t>(item)] = 0;
  const ContentIndex index(attributes, has_events);
  std::vector<std::vector<ContentLink>> found(cold.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    std::vector<double> sums(index.items(), 0);
    for (size_t i = next++; i < cold.size(); i = next++) found[i] = index.most_alike(unit_row(attributes, cold[i]), sums);
  };
  {
    std::vector<std::jthread> others;
    for (int32_t t = 1; t < threads; ++t) others.emplace_back(work);
    work();
  }
  return with_links(none, model, cold, found);
}

}  // namespace bouquet::training
