#include "engine/models_directory.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include "engine/errors.h"
#include "engine/file_access.h"
#include "engine/nearest_name.h"
#include "engine/version_name.h"

namespace bouquet {
namespace {

namespace fs = std::filesystem;

// The lock of the directory guards every change of its names. It is held for moments only, never while a model is written.
constexpr char kDirectoryLock[] = "/.lock";
constexpr char kCurrent[] = "/CURRENT";
constexpr std::string_view kTemporary = ".tmp-";
constexpr std::string_view kLockSuffix = ".lock";
constexpr size_t kHashInName = 8;

int64_t system_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string temporary_suffix() {
  std::random_device random;
  char text[64];
  std::snprintf(text, sizeof text, "%d-%08x", static_cast<int>(::getpid()), random());
  return std::string(kTemporary) + text;
}

// Every name in the directory that `wanted` accepts, sorted.
template <typename Wanted>
std::vector<std::string> names_in(const std::string& path, const Wanted& wanted) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
    if (wanted(*at)) names.push_back(at->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// Also the damaged ones: what a new name must come after.
std::vector<std::string> taken_names(const std::string& path) {
  return names_in(path, [](const fs::directory_entry& entry) { return is_version_name(entry.path().filename().string()); });
}

// The part of a version's name that its replacements share.
std::string_view time_of(std::string_view version) { return version.substr(0, version.find('-') + 1); }

// Removes what it can; what stays is removed at the next opening.
void remove_quietly(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

// A temporary folder with a lock beside it that says that its writer lives. Removes both unless the folder was moved away.
class TemporaryFolder {
 public:
  static absl::StatusOr<TemporaryFolder> make(std::string path) {
    absl::StatusOr<FileLock> lock = FileLock::acquire(path + std::string(kLockSuffix));
    if (!lock.ok()) return lock.status();
    TemporaryFolder folder(std::move(path), *std::move(lock));
    std::error_code error;
    fs::create_directory(folder.path_, error);
    if (error) return no_resource("cannot create " + folder.path_ + ": " + error.message());
    return folder;
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  ~TemporaryFolder() {
    if (path_.empty()) return;
    remove_quietly(path_);
    remove_quietly(path_ + std::string(kLockSuffix));
  }
  const std::string& path() const { return path_; }

 private:
  TemporaryFolder(std::string path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  FileLock lock_;
};

}  // namespace

void ModelsDirectory::step(std::string_view name) const {
  if (environment_.before_step) environment_.before_step(name);
}

absl::StatusOr<ModelsDirectory> ModelsDirectory::open(const std::string& path, ModelsEnvironment environment) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return no_resource("cannot create the models directory " + path + ": " + error.message());
  if (!environment.now) environment.now = system_now;
  ModelsDirectory directory(path, std::move(environment));
  // Whoever may only read has nothing to clean.
  if (::access(path.c_str(), W_OK) == 0)
    if (absl::Status s = directory.remove_dead_writers(); !s.ok()) return s;
  return directory;
}

absl::StatusOr<ModelsDirectory> ModelsDirectory::open_existing(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return missing_input("--models " + path + ": no such directory; `bouquet train` makes it");
  return ModelsDirectory(path, {.now = system_now, .before_step = {}});
}

absl::Status ModelsDirectory::remove_dead_writers() const {
  const absl::StatusOr<FileLock> lock = FileLock::acquire(path_ + kDirectoryLock);
  if (!lock.ok()) return lock.status();
  const std::vector<std::string> left = names_in(path_, [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    const size_t at = name.find(kTemporary);
    return at != std::string::npos && (is_version_name(name.substr(0, at)) || name.substr(0, at) == "CURRENT");
  });
  for (const std::string& name : left) {
    // CURRENT is only written under the directory's lock, which is ours now.
    const std::string writer = name.ends_with(kLockSuffix) ? name : name + std::string(kLockSuffix);
    if (!FileLock::is_held(path_ + "/" + writer)) remove_quietly(path_ + "/" + name);
  }
  return absl::OkStatus();
}

std::vector<std::string> ModelsDirectory::versions() const {
  return names_in(path_, [](const fs::directory_entry& entry) {
    std::error_code error;
    return is_version_name(entry.path().filename().string()) && entry.symlink_status(error).type() == fs::file_type::directory;
  });
}

absl::StatusOr<std::string> ModelsDirectory::folder(const std::string& version) const {
  const std::vector<std::string> known = versions();
  if (std::binary_search(known.begin(), known.end(), version)) return path_ + "/" + version;
  if (known.empty()) return missing_input("version '" + version + "': " + path_ + " holds no model");
  return missing_input("version '" + version + "' is not in " + path_ + did_you_mean(version, known));
}

absl::StatusOr<std::string> ModelsDirectory::standing_for(const std::string& version) const {
  const absl::StatusOr<std::string> itself = folder(version);
  if (itself.ok()) return version;
  const std::vector<std::string> known = versions();
  std::string newest;
  int64_t newest_time = 0;
  for (const std::string& other : known) {
    if (time_of(other) != time_of(version)) continue;
    const auto found = manifest(other);
    if (!found.ok() || !found->artifact.stands_for(version)) continue;
    if (const int64_t time = found->artifact.replaces.back().time; newest.empty() || time > newest_time) {
      newest = other;
      newest_time = time;
    }
  }
  return newest.empty() ? absl::StatusOr<std::string>(itself.status()) : newest;
}

absl::StatusOr<std::string> ModelsDirectory::current() const {
  const std::string file = path_ + kCurrent;
  const absl::StatusOr<std::string> text = read_small_file(file, 256);
  if (absl::IsNotFound(text.status()))
    return missing_input("no model is active in " + path_ + "; `bouquet train` or `models activate` makes one");
  if (!text.ok()) return text.status();
  const std::string version = text->substr(0, text->find('\n'));
  if (*text != version + "\n" || !is_version_name(version))
    return bad_input(file + ": does not hold the name of a version; `models activate` mends it");
  return version;
}

absl::StatusOr<std::shared_ptr<const Artifact>> ModelsDirectory::load(const std::string& version) const {
  const absl::StatusOr<std::string> where = folder(version);
  if (!where.ok()) return where.status();
  return open_artifact(*where);
}

absl::StatusOr<Manifest> ModelsDirectory::manifest(const std::string& version) const {
  const absl::StatusOr<std::string> where = folder(version);
  if (!where.ok()) return where.status();
  return read_manifest(*where);
}

absl::StatusOr<std::shared_ptr<const Artifact>> ModelsDirectory::load_current() const {
  const absl::StatusOr<std::string> version = current();
  if (!version.ok()) return version.status();
  return load(*version);
}

// The caller holds the directory's lock.
absl::Status ModelsDirectory::write_current(const std::string& version) {
  const std::string temporary = path_ + kCurrent + temporary_suffix();
  const std::string text = version + "\n";
  step("write CURRENT");
  absl::Status status = write_new_file(temporary, std::as_bytes(std::span(text)));
  step("replace CURRENT");
  if (status.ok()) status = rename_durably(temporary, path_ + kCurrent, path_);
  if (!status.ok()) remove_quietly(temporary);
  return status;
}

absl::Status ModelsDirectory::activate(const std::string& version) {
  const absl::StatusOr<FileLock> lock = FileLock::acquire(path_ + kDirectoryLock);
  if (!lock.ok()) return lock.status();
  if (const auto found = manifest(version); !found.ok()) return found.status();
  return write_current(version);
}

absl::StatusOr<std::string> ModelsDirectory::roll_back() {
  const absl::StatusOr<FileLock> lock = FileLock::acquire(path_ + kDirectoryLock);
  if (!lock.ok()) return lock.status();
  const absl::StatusOr<std::string> now = current();
  if (!now.ok()) return now.status();
  const std::vector<std::string> known = versions();
  const auto at = std::lower_bound(known.begin(), known.end(), *now);
  if (at == known.begin()) return absl::FailedPreconditionError("there is no version older than " + *now + " in " + path_);
  const std::string older = *(at - 1);
  if (const auto found = manifest(older); !found.ok()) return found.status();
  if (absl::Status s = write_current(older); !s.ok()) return s;
  return older;
}

absl::StatusOr<std::string> ModelsDirectory::publish(Artifact artifact, bool activate) {
  const int64_t now = environment_.now();
  if (artifact.created_at == 0) artifact.created_at = now;
  if (artifact.parent.empty())
    if (const auto parent = current(); parent.ok()) artifact.parent = *parent;
  const std::string no_hash(kHashInName, '0');  // the name is only settled when the content is
  const absl::StatusOr<std::string> name = next_version_name(now, "", no_hash);
  if (!name.ok()) return name.status();
  return write_beside(artifact, *name, [&](const std::string& written) { return move_into_place(written, activate); });
}

absl::StatusOr<std::string> ModelsDirectory::replace(const std::string& version, Artifact artifact) {
  if (const auto there = folder(version); !there.ok()) return there.status();
  artifact.replaces.push_back({version, environment_.now()});
  return write_beside(artifact, version, [&](const std::string& written) { return move_in_place_of(version, written); });
}

absl::StatusOr<std::string> ModelsDirectory::write_beside(
    const Artifact& artifact, const std::string& name,
    const std::function<absl::StatusOr<std::string>(const std::string& folder)>& then) const {
  const auto make_folder = [&]() -> absl::StatusOr<TemporaryFolder> {
    const absl::StatusOr<FileLock> lock = FileLock::acquire(path_ + kDirectoryLock);
    if (!lock.ok()) return lock.status();
    step("make the temporary folder");
    return TemporaryFolder::make(path_ + "/" + name + temporary_suffix());
  };
  const absl::StatusOr<TemporaryFolder> temporary = make_folder();
  if (!temporary.ok()) return temporary.status();
  if (absl::Status s = write_artifact(artifact, temporary->path(), environment_.before_step); !s.ok()) return s;
  return then(temporary->path());
}

absl::StatusOr<std::string> ModelsDirectory::move_in_place_of(const std::string& version, const std::string& temporary_folder) {
  const absl::StatusOr<std::string> hash = content_hash(temporary_folder);
  if (!hash.ok()) return hash.status();
  const absl::StatusOr<FileLock> lock = FileLock::acquire(path_ + kDirectoryLock);
  if (!lock.ok()) return lock.status();
  const std::string name = std::string(time_of(version)) + hash->substr(0, kHashInName);
  step("rename the folder");
  if (absl::Status s = rename_durably(temporary_folder, path_ + "/" + name, path_); !s.ok()) return s;
  const absl::StatusOr<std::string> now = current();
  if (now.ok() && *now == version)
    if (absl::Status s = write_current(name); !s.ok()) return s;
  step("remove the old folder");
  const std::string old = path_ + "/" + version + temporary_suffix();
  if (absl::Status s = rename_durably(path_ + "/" + version, old, path_); !s.ok()) return s;
  step("done");
  remove_quietly(old);
  return name;
}

absl::StatusOr<std::string> ModelsDirectory::move_into_place(const std::string& temporary_folder, bool activate) {
  const absl::StatusOr<std::string> hash = content_hash(temporary_folder);
  if (!hash.ok()) return hash.status();
  const absl::StatusOr<FileLock> lock = FileLock::acquire(path_ + kDirectoryLock);
  if (!lock.ok()) return lock.status();
  const std::vector<std::string> taken = taken_names(path_);
  const absl::StatusOr<std::string> version = next_version_name(environment_.now(), taken.empty() ? "" : taken.back(), *hash);
  if (!version.ok()) return version.status();
  const std::string folder = path_ + "/" + *version;
  step("rename the folder");
  absl::Status status = rename_durably(temporary_folder, folder, path_);
  step("published");
  if (status.ok() && activate) status = write_current(*version);
  step("done");
  if (status.ok()) return *version;
  // Nobody has seen the version: the lock is still ours. Back under its temporary name it is removed with it.
  std::rename(folder.c_str(), temporary_folder.c_str());
  return status;
}

}  // namespace bouquet
