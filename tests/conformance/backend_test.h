// The fixture of the conformance suite: every test runs for every backend this program knows. A backend that is absent from this
// machine is skipped visibly, or fails where BOUQUET_REQUIRE_GPU=1 asks for it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/backends.h"
#include "engine/backend.h"
#include "engine/errors.h"

namespace bouquet::conformance {

// BOUQUET_SMALL_SHAPES=1: fewer and smaller cases, for where barriers are dear (the emulation under ThreadSanitizer).
inline bool small_shapes() {
  const char* const wanted = std::getenv("BOUQUET_SMALL_SHAPES");
  return wanted != nullptr && std::string_view(wanted) == "1";
}
inline std::vector<int32_t> shapes(std::vector<int32_t> all, std::vector<int32_t> small) { return small_shapes() ? small : all; }

// Whether a backend that could not be made may be passed over: this machine lacks it, and BOUQUET_REQUIRE_GPU=1 does not ask for it.
inline bool may_be_absent(const absl::Status& why) {
  const char* const required = std::getenv("BOUQUET_REQUIRE_GPU");
  return absl::IsUnavailable(why) && (required == nullptr || std::string_view(required) != "1");
}

// For SetUp(): makes the backend. One that may be absent skips the test, visibly; any other that cannot be made fails it.
inline void make_or_skip(const std::string& name, std::unique_ptr<Backend>& backend) {
  auto made = make_backend({.name = name, .threads = name == "cpu" ? 2 : 0});
  if (made.ok()) {
    backend = std::move(*made);
    return;
  }
  if (may_be_absent(made.status())) GTEST_SKIP() << message_of(made.status());
  FAIL() << message_of(made.status());
}

class BackendTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { make_or_skip(GetParam(), backend_); }

  Backend& backend() { return *backend_; }

 private:
  std::unique_ptr<Backend> backend_;
};

// An output array between two guard bands: what writes past its end is found, and so is what writes on an error.
template <typename T>
class Guarded {
 public:
  Guarded(size_t size, T fill) : fill_(fill), cells_(size + 2 * kBand, fill) {}

  std::span<T> span() { return std::span<T>(cells_).subspan(kBand, cells_.size() - 2 * kBand); }
  const T& operator[](size_t i) const { return cells_[kBand + i]; }
  bool bands_intact() const { return intact(0, kBand) && intact(cells_.size() - kBand, cells_.size()); }
  bool untouched() const { return intact(0, cells_.size()); }

 private:
  static constexpr size_t kBand = 64;
  bool intact(size_t begin, size_t end) const {
    return std::all_of(cells_.begin() + static_cast<std::ptrdiff_t>(begin), cells_.begin() + static_cast<std::ptrdiff_t>(end),
                       [this](const T& cell) { return cell == fill_; });
  }

  T fill_;
  std::vector<T> cells_;
};

inline std::string backend_test_name(const testing::TestParamInfo<std::string>& info) { return info.param; }

}  // namespace bouquet::conformance
