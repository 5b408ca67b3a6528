#include "engine/content_links.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status check_row(const ContentLinks& links, int64_t item, int64_t item_count) {
  const int64_t begin = links.offsets[item], end = links.offsets[item + 1];
  if (end < begin) return bad_input(absl::StrCat("content link offsets: entry ", item + 1, " falls from ", begin, " to ", end));
  if (end > links.items.size()) return bad_input(absl::StrCat("content link offsets: entry ", item + 1, " is ", end, ", past the links"));
  for (int64_t e = begin; e < end; ++e) {
    const int32_t linked = links.items[e];
    if (linked < 0 || linked >= item_count)
      return bad_input(absl::StrCat("content link items: entry ", e, " is ", linked, ", not an item"));
    if (e > begin && linked <= links.items[e - 1])
      return bad_input(absl::StrCat("content link items: entry ", e, " does not ascend within its item"));
    if (!(links.likeness[e] > 0) || !std::isfinite(links.likeness[e]))
      return bad_input(absl::StrCat("content likeness: entry ", e, " is not more than 0 and finite"));
  }
  return absl::OkStatus();
}

}  // namespace

int32_t ContentLinks::linked_count(int32_t item_count) const {
  std::vector<uint8_t> linked(static_cast<size_t>(item_count), 0);
  for (const int32_t item : items) linked[static_cast<size_t>(item)] = 1;
  return static_cast<int32_t>(std::count(linked.begin(), linked.end(), 1));
}

absl::Status validate(const ContentLinks& links, int64_t item_count, int32_t dimension) {
  if (links.likeness.size() != links.items.size())
    return bad_input(absl::StrCat("content likeness: ", links.likeness.size(), " entries where ", links.items.size(), " belong"));
  if (links.empty()) {
    if (links.items.empty() && links.spread.empty()) return absl::OkStatus();
    return bad_input("content links: there are some without offsets");
  }
  if (links.offsets.size() != item_count + 1)
    return bad_input(absl::StrCat("content link offsets: ", links.offsets.size(), " entries where ", item_count + 1, " belong"));
  if (links.offsets[0] != 0) return bad_input(absl::StrCat("content link offsets: entry 0 is ", links.offsets[0], ", not 0"));
  for (int64_t item = 0; item < item_count; ++item)
    if (absl::Status s = check_row(links, item, item_count); !s.ok()) return s;
  if (links.offsets[item_count] != links.items.size())
    return bad_input(
        absl::StrCat("content link offsets: the last is ", links.offsets[item_count], " where there are ", links.items.size()));
  if (links.spread.size() != int64_t{dimension} * dimension)
    return bad_input(absl::StrCat("content spread: ", links.spread.size(), " numbers where ", dimension, " x ", dimension, " belong"));
  for (int64_t e = 0; e < links.spread.size(); ++e)
    if (!std::isfinite(links.spread[e])) return bad_input(absl::StrCat("content spread: entry ", e, " is not finite"));
  return absl::OkStatus();
}

}  // namespace bouquet
