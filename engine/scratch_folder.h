// A folder of its own for as long as it is needed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace bouquet {

// Goes with all that is in it.
class ScratchFolder {
 public:
  // In `parent`; empty: where temporary files go (TMPDIR). Its name begins with "bouquet-" and `purpose`. Errors: ResourceExhausted.
  static absl::StatusOr<ScratchFolder> make(std::string_view purpose, const std::string& parent = {});
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~ScratchFolder();

  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace bouquet
