// What every stored array is checked for. Complaints are DataLoss and name the array, the entry and the value. Internal to engine/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/errors.h"
#include "engine/shared_array.h"

namespace bouquet {

inline absl::Status check_size(std::string_view name, int64_t size, int64_t wanted) {
  if (size == wanted) return absl::OkStatus();
  return bad_input(absl::StrCat(std::string(name), ": ", size, " entries where ", wanted, " belong"));
}

inline absl::Status bad_entry(std::string_view name, int64_t at, std::string_view what) {
  return bad_input(absl::StrCat(std::string(name), ": entry ", at, " ", std::string(what)));
}

// Offsets of `rows` rows over `entries` entries: start at 0, never fall, end at the entries.
template <typename T>
absl::Status check_offsets(std::string_view name, const SharedArray<T>& offsets, int64_t rows, int64_t entries) {
  if (absl::Status s = check_size(name, offsets.size(), rows + 1); !s.ok()) return s;
  if (offsets[0] != 0) return bad_entry(name, 0, absl::StrCat("is ", offsets[0], ", not 0"));
  for (int64_t r = 0; r < rows; ++r)
    if (offsets[r + 1] < offsets[r]) return bad_entry(name, r + 1, absl::StrCat("falls from ", offsets[r], " to ", offsets[r + 1]));
  if (static_cast<uint64_t>(offsets[rows]) != static_cast<uint64_t>(entries))
    return bad_entry(name, rows, absl::StrCat("is ", offsets[rows], " where there are ", entries, " entries"));
  return absl::OkStatus();
}

}  // namespace bouquet
