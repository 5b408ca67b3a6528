#include "engine/content_links.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/array_checks.h"

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

}  // namespace

int32_t ContentLinks::linked_count(int32_t item_count) const {
  std::vector<uint8_t> linked(static_cast<size_t>(item_count), 0);
  for (const int32_t item : items) linked[static_cast<size_t>(item)] = 1;
  return static_cast<int32_t>(std::count(linked.begin(), linked.end(), 1));
}

absl::Status validate(const ContentLinks& links, int64_t item_count, int32_t dimension) {
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
