#include "engine/content_links.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/array_checks.h"
#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status check_link(const ContentLinks& links, int64_t e, int64_t item_count, int64_t previous_item) {
  const int32_t linked = links.items[e];
  if (linked < 0 || linked >= item_count) return bad_entry("content link items", e, absl::StrCat("is ", linked, ", not an item"));
  if (linked <= previous_item) return bad_entry("content link items", e, "does not ascend within its item");
  if (!(links.likeness[e] > 0) || !std::isfinite(links.likeness[e]))
    return bad_entry("content likeness", e, "is not more than 0 and finite");
  return absl::OkStatus();
}

// What `links` leads to, ascending.
std::vector<int32_t> linked_items(const ContentLinks& links, int32_t item_count) {
  std::vector<uint8_t> linked(static_cast<size_t>(item_count), 0);
  for (const int32_t item : links.items) linked[static_cast<size_t>(item)] = 1;
  std::vector<int32_t> items;
  for (int32_t item = 0; item < item_count; ++item)
    if (linked[static_cast<size_t>(item)] != 0) items.push_back(item);
  return items;
}

// weight² times the covariance of the vectors of `linked`.
std::vector<float> spread_of(const Model& model, std::span<const int32_t> linked, double weight) {
  const auto d = static_cast<size_t>(model.dimension);
  std::vector<double> mean(d, 0), centred(d), sums(d * d, 0);
  const auto count = static_cast<double>(linked.size());
  for (const int32_t i : linked)
    for (size_t j = 0; j < d; ++j) mean[j] += double{model.item_matrix().row(i)[j]} / count;
  for (const int32_t i : linked) {
    const auto vector = model.item_matrix().row(i);
    for (size_t j = 0; j < d; ++j) centred[j] = double{vector[j]} - mean[j];
    for (size_t r = 0; r < d; ++r)
      for (size_t j = 0; j < d; ++j) sums[r * d + j] += centred[r] * centred[j];
  }
  std::vector<float> out(d * d);
  for (size_t e = 0; e < out.size(); ++e) out[e] = static_cast<float>(weight * weight * sums[e] / count);
  return out;
}

}  // namespace

int32_t ContentLinks::linked_count(int32_t item_count) const { return static_cast<int32_t>(linked_items(*this, item_count).size()); }

ContentLinks with_links(const ContentLinks& links, const Model& model, std::span<const int32_t> items,
                        std::span<const std::vector<ContentLink>> found) {
  const auto rows = static_cast<size_t>(model.item_count());
  const size_t known = links.empty() ? 0 : static_cast<size_t>(links.offsets.size()) - 1;
  std::vector<int32_t> linked = linked_items(links, model.item_count());
  std::vector<int64_t> more(rows, 0);  // of each item, links that it gets
  for (size_t k = 0; k < items.size(); ++k) {
    if (!found[k].empty()) linked.push_back(items[k]);
    for (const ContentLink& link : found[k]) ++more[static_cast<size_t>(link.item)];
  }
  ContentLinks out;
  out.weight = links.weight;
  if (linked.empty()) return out;
  std::vector<int64_t> offsets{0}, at(rows);
  std::vector<int32_t> all;
  std::vector<float> likeness;
  for (size_t i = 0; i < rows; ++i) {
    if (i < known) {
      const int64_t begin = links.offsets[static_cast<int64_t>(i)], end = links.offsets[static_cast<int64_t>(i) + 1];
      all.insert(all.end(), links.items.begin() + begin, links.items.begin() + end);
      likeness.insert(likeness.end(), links.likeness.begin() + begin, links.likeness.begin() + end);
    }
    at[i] = static_cast<int64_t>(all.size());
    offsets.push_back(at[i] + more[i]);
    all.resize(static_cast<size_t>(offsets.back()));
    likeness.resize(all.size());
  }
  for (size_t k = 0; k < items.size(); ++k)  // `items` rise, so each row's links do
    for (const ContentLink& link : found[k]) {
      const auto e = static_cast<size_t>(at[static_cast<size_t>(link.item)]++);
      all[e] = items[k];
      likeness[e] = link.likeness;
    }
  out.spread = spread_of(model, linked, links.weight);
  out.offsets = std::move(offsets);
  out.items = std::move(all);
  out.likeness = std::move(likeness);
  return out;
}

absl::Status validate(const ContentLinks& links, int64_t item_count, int32_t dimension) {
  if (!(links.weight >= 0) || !std::isfinite(links.weight)) return bad_input("the weight of the content path is not 0 or more");
  if (absl::Status s = check_size("content likeness", links.likeness.size(), links.items.size()); !s.ok()) return s;
  if (links.empty()) return check_size("content links without offsets", links.items.size() + links.spread.size(), 0);
  if (absl::Status s = check_offsets("content link offsets", links.offsets, item_count, links.items.size()); !s.ok()) return s;
  for (int64_t item = 0; item < item_count; ++item) {
    int64_t previous_item = -1;
    for (int64_t e = links.offsets[item]; e < links.offsets[item + 1]; ++e) {
      if (absl::Status s = check_link(links, e, item_count, previous_item); !s.ok()) return s;
      previous_item = links.items[e];
    }
  }
  if (absl::Status s = check_size("content spread", links.spread.size(), int64_t{dimension} * dimension); !s.ok()) return s;
  for (int64_t e = 0; e < links.spread.size(); ++e)
    if (!std::isfinite(links.spread[e])) return bad_entry("content spread", e, "is not finite");
  return absl::OkStatus();
}

}  // namespace bouquet
