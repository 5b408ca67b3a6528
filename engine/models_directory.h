// The life of models: DIR/<version>/ for each, DIR/CURRENT naming the one that serves (docs/formats.md). Safe against kill -9 at
// every step and against several processes: a version appears whole or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "engine/artifact_files.h"

namespace bouquet {

// What a test may replace.
struct ModelsEnvironment {
  std::function<int64_t()> now;  // microseconds since 1970; empty: the system's clock
  StepHook before_step;          // before each step that a crash could stop at
};

class ModelsDirectory {
 public:
  // Creates `path` if need be, and removes <version>.tmp-* folders whose writer no longer lives. Errors: ResourceExhausted, NotFound.
  static absl::StatusOr<ModelsDirectory> open(const std::string& path, ModelsEnvironment environment = {});

  // The same without creating or removing anything: for commands that only look. Errors: NotFound.
  static absl::StatusOr<ModelsDirectory> open_existing(const std::string& path);

  // Writes `artifact` under a new version name (UTC time and a short content hash; always ordered after every existing version,
  // also when the clock went back) and, if `activate`, makes it current. Returns the version. `created_at` and `parent` are filled in
  // where they are empty. Errors: ResourceExhausted (disk full, not writable: nothing is left behind), DataLoss (validate()).
  absl::StatusOr<std::string> publish(Artifact artifact, bool activate);

  // Puts `artifact` in the place of `version`, of which it is a copy with something taken out: under a name of the same time, so that the
  // order of versions stays; it is current afterwards if that was, and `replaces` names `version` and all that it has replaced. No byte of
  // `version` is in the directory then, whatever a process that has it open still sees. Returns the new name. Killed at any step, it leaves
  // the old one, or both, or the new one, and CURRENT names a whole one. Errors: NotFound, those of publish().
  absl::StatusOr<std::string> replace(const std::string& version, Artifact artifact);

  // `version`, or the newest that stands for it (Artifact::stands_for). Errors: NotFound, naming the nearest version.
  absl::StatusOr<std::string> standing_for(const std::string& version) const;

  std::vector<std::string> versions() const;          // oldest first; only complete ones
  absl::StatusOr<std::string> current() const;        // NotFound when nothing was activated
  absl::Status activate(const std::string& version);  // NotFound, DataLoss (it does not verify; nothing changes)
  absl::StatusOr<std::string> roll_back();            // activates the newest version older than the current one. FailedPrecondition: none
  absl::StatusOr<std::shared_ptr<const Artifact>> load(const std::string& version) const;
  absl::StatusOr<std::shared_ptr<const Artifact>> load_current() const;
  absl::StatusOr<Manifest> manifest(const std::string& version) const;  // without the arrays: cheap

  const std::string& path() const { return path_; }
  // The folder of an existing version. Errors: NotFound, naming the nearest version.
  absl::StatusOr<std::string> folder(const std::string& version) const;

 private:
  ModelsDirectory(std::string path, ModelsEnvironment environment) : path_(std::move(path)), environment_(std::move(environment)) {}
  absl::Status remove_dead_writers() const;
  // Into a temporary folder beside the versions, which `then` moves away. `name`: what a reader of the directory is to take it for.
  absl::StatusOr<std::string> write_beside(const Artifact& artifact, const std::string& name,
                                           const std::function<absl::StatusOr<std::string>(const std::string& folder)>& then) const;
  absl::StatusOr<std::string> move_into_place(const std::string& temporary_folder, bool activate);
  absl::StatusOr<std::string> move_in_place_of(const std::string& version, const std::string& temporary_folder);
  absl::Status write_current(const std::string& version);
  void step(std::string_view name) const;

  std::string path_;
  ModelsEnvironment environment_;
};

}  // namespace bouquet
