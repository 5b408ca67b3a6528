#include "engine/scratch_folder.h"

#include <cstdlib>
#include <filesystem>

#include "engine/errors.h"

namespace bouquet {

absl::StatusOr<ScratchFolder> ScratchFolder::make(std::string_view purpose, const std::string& parent) {
  std::error_code failed;
  const std::filesystem::path place = parent.empty() ? std::filesystem::temp_directory_path(failed) : std::filesystem::path(parent);
  std::string path = (place / ("bouquet-" + std::string(purpose) + "-XXXXXX")).string();
  if (!failed && mkdtemp(path.data()) != nullptr) return ScratchFolder(std::move(path));
  return no_resource(parent.empty() ? "no folder can be made where temporary files go (TMPDIR)" : path + ": no folder can be made there");
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace bouquet
