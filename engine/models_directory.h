// The life of models: DIR/<version>/ for each, DIR/CURRENT naming the one that serves (docs/formats.md). Safe against kill -9 at
// every step and against several processes: a version appears whole or not at all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/artifact.h"

namespace bouquet {

class ModelsDirectory {
 public:
  // Creates `path` if need be, and removes <version>.tmp-* folders whose writer no longer lives. Errors: ResourceExhausted, NotFound.
  static absl::StatusOr<ModelsDirectory> open(const std::string& path);

  // Writes `artifact` under a new version name (UTC time and a short content hash; always ordered after every existing version,
  // also when the clock went back) and, if `activate`, makes it current. Returns the version.
  absl::StatusOr<std::string> publish(Artifact artifact, bool activate);

  std::vector<std::string> versions() const;          // oldest first; only complete ones
  absl::StatusOr<std::string> current() const;        // NotFound when nothing was activated
  absl::Status activate(const std::string& version);  // NotFound, DataLoss (it does not verify; nothing changes)
  absl::StatusOr<std::string> roll_back();            // activates the newest version older than the current one. FailedPrecondition: none
  absl::StatusOr<std::shared_ptr<const Artifact>> load(const std::string& version) const;
  absl::StatusOr<std::shared_ptr<const Artifact>> load_current() const;

  const std::string& path() const { return path_; }

 private:
  explicit ModelsDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace bouquet
