#include "training/nearest_name.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace bouquet::training {
namespace {

constexpr size_t kLongestCompared = 128;

int lower(char c) { return std::tolower(static_cast<unsigned char>(c)); }

// Levenshtein 1966, one row at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kLongestCompared);
  b = b.substr(0, kLongestCompared);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string> known) {
  const std::string* nearest = nullptr;
  size_t smallest = 0;
  for (const std::string& candidate : known) {
    const size_t distance = edit_distance(name, candidate);
    if (nearest != nullptr && distance >= smallest) continue;
    nearest = &candidate;
    smallest = distance;
  }
  return nearest == nullptr ? std::string() : *nearest;
}

}  // namespace bouquet::training
