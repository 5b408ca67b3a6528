// An artifact on disk: one directory per version, immutable, checksummed, mapped read-only. The format is docs/formats.md.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/artifact.h"

namespace bouquet {

// Writes every section and then manifest.json into `directory`, which must exist and be empty, and syncs the files and the
// directory. Errors: ResourceExhausted (disk full or not writable; says which file), DataLoss (validate() refuses it).
absl::Status write_artifact(const Artifact& artifact, const std::string& directory);

// Maps a directory that write_artifact made. Everything is checked before anything is returned: the manifest, an unknown major
// version or required section (by name), sizes and sha256 of every section, and validate(). The version is the directory's name.
// Errors: NotFound (no such directory or manifest), DataLoss (which section, what is wrong).
absl::StatusOr<std::shared_ptr<const Artifact>> open_artifact(const std::string& directory);

}  // namespace bouquet
