// An artifact on disk: one directory per version, immutable, checksummed, mapped read-only. The format is docs/formats.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "engine/manifest.h"

namespace bouquet {

// Called with a name before each step of a write at which a crash would leave something different on disk. Tests stop there.
using StepHook = std::function<void(std::string_view step)>;

// Writes every section, then manifest.json, then manifest.sha256 into `directory`, which must exist and be empty, and syncs the
// files and the directory. Errors: ResourceExhausted (disk full or not writable; says which file), DataLoss (validate() refuses it).
absl::Status write_artifact(const Artifact& artifact, const std::string& directory, const StepHook& before_step = {});

// Maps a directory that write_artifact made. Everything is checked before anything is returned: the manifest, an unknown major
// version or required section (by name), sizes and sha256 of every section, and validate(). The version is the directory's name.
// Errors: NotFound (no such directory or manifest), DataLoss (which section, what is wrong).
absl::StatusOr<std::shared_ptr<const Artifact>> open_artifact(const std::string& directory);

// The manifest alone, checked against its checksum: cheap, whatever the size of the model. Errors: as open_artifact.
absl::StatusOr<Manifest> read_manifest(const std::string& directory);

// The manifest's checksum, 64 hexadecimal digits. It covers the checksums of all sections, so it names the whole content.
absl::StatusOr<std::string> content_hash(const std::string& directory);

}  // namespace bouquet
