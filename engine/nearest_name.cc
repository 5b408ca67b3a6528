#include "engine/nearest_name.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "engine/text_beginning.h"

namespace bouquet {
namespace {

constexpr size_t kMostComparedBytes = 128;
constexpr size_t kMostListed = 20;

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string nearest_name(std::string_view name, std::span<const std::string> known) {
  const auto compared = [](std::string_view text) {
    std::string lower(text.substr(0, kMostComparedBytes));
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
  };
  const std::string wanted = compared(name);
  const auto nearest =
      std::ranges::min_element(known, {}, [&](const std::string& candidate) { return edit_distance(wanted, compared(candidate)); });
  return nearest == known.end() ? std::string() : *nearest;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
  const std::string* nearest = nullptr;
  size_t least = 1 + name.size() / 3;  // one slip in short names, more in long ones
  for (const std::string& candidate : known) {
    // Not worth looking at: the lengths alone are further apart, or nobody has mistyped such a name.
    const size_t shorter = std::min(name.size(), candidate.size()), longer = std::max(name.size(), candidate.size());
    if (longer - shorter > least || longer > kMostComparedBytes) continue;
    const size_t distance = edit_distance(name, candidate);
    if (distance < least || (distance == least && nearest == nullptr)) {
      least = distance;
      nearest = &candidate;
    }
  }
  if (nearest != nullptr) return "; did you mean '" + *nearest + "'?";
  std::vector<std::string> listed(std::min(known.size(), kMostListed));
  std::partial_sort_copy(known.begin(), known.end(), listed.begin(), listed.end());
  std::string all;
  for (const std::string& candidate : listed) all += (all.empty() ? "" : ", ") + std::string(text_beginning(candidate, kMostComparedBytes));
  if (known.size() > listed.size()) all += " and " + std::to_string(known.size() - listed.size()) + " more";
  return all.empty() ? std::string() : "; known are: " + all;
}

}  // namespace bouquet
