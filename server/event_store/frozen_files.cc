#include "server/event_store/frozen_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <thread>

#include "engine/errors.h"

namespace bouquet::server {
namespace {

using rocksdb::IOStatus;

constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::milliseconds kPause{1};

std::string list_that_counts(const std::string& folder) {
  std::ifstream current(folder + "/CURRENT");
  std::string name;
  std::getline(current, name);
  return name;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (auto at = std::filesystem::directory_iterator(folder, ignored); !ignored && at != std::filesystem::directory_iterator();
       at.increment(ignored))
    names.push_back(at->path().filename());
  return names;
}

// Of a write-ahead log; nothing: the file is none.
std::optional<uint64_t> log_number(const std::string& name) {
  if (!name.ends_with(".log") || !std::isdigit(static_cast<unsigned char>(name.front()))) return std::nullopt;
  return std::strtoull(name.c_str(), nullptr, 10);
}

IOStatus read_only(const std::string& path) { return IOStatus::NotSupported(path, "is only read here"); }

// What opening a database to read it looks at.
bool counts(const std::string& name, const std::string& list) {
  return name == "CURRENT" || name == "IDENTITY" || name == list || name.ends_with(".sst") || name.ends_with(".blob") || log_number(name);
}

}  // namespace

FrozenFiles::FrozenFiles(const std::string& folder) : FileSystemWrapper(rocksdb::FileSystem::Default()), folder_(folder) {}

FrozenFiles::~FrozenFiles() { close_all(); }

absl::StatusOr<std::shared_ptr<FrozenFiles>> FrozenFiles::of(const std::string& folder) {
  const std::shared_ptr<FrozenFiles> files(new FrozenFiles(folder));
  for (const auto begin = std::chrono::steady_clock::now(); std::chrono::steady_clock::now() - begin < kPatience;) {
    const auto whole = files->open_all();
    if (!whole.ok()) return whole.status();
    if (*whole) return files;
    std::this_thread::sleep_for(kPause);
  }
  return no_resource("--store " + folder + ": the server changes its files faster than they can be opened; try again in a moment");
}

absl::StatusOr<bool> FrozenFiles::open_all() {
  close_all();
  const std::string list = list_that_counts(folder_);
  // A log that is in the first listing began before the second one did, and so did all logs before it: the second one has them all.
  uint64_t newest_log = 0;
  for (const std::string& name : names_in(folder_)) newest_log = std::max(newest_log, log_number(name).value_or(0));
  for (const std::string& name : names_in(folder_)) {
    if (!counts(name, list) || log_number(name).value_or(0) > newest_log) continue;
    const int descriptor = ::open((folder_ + "/" + name).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT) return false;
    if (descriptor < 0)
      return no_resource("--store " + folder_ + ": " + name + " cannot be opened: " + std::strerror(errno) +
                         (errno == EMFILE ? "; raise the limit (ulimit -n) above the number of files in the folder" : ""));
    descriptors_[name] = descriptor;
  }
  return list == list_that_counts(folder_);
}

void FrozenFiles::close_all() {
  for (const auto& [name, descriptor] : descriptors_) ::close(descriptor);
  descriptors_.clear();
}

// RocksDB puts a name behind the folder it was given, with one slash or two.
bool FrozenFiles::is_inside(const std::string& path) const {
  return (std::filesystem::path(path).parent_path() / "").lexically_normal() == std::filesystem::path(folder_) / "";
}

std::string FrozenFiles::readable(const std::string& path) const {
  if (!is_inside(path)) return path;
  const auto found = descriptors_.find(std::filesystem::path(path).filename());
  return found == descriptors_.end() ? std::string() : "/proc/self/fd/" + std::to_string(found->second);
}

IOStatus FrozenFiles::NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSSequentialFile>* file, rocksdb::IODebugContext* debug) {
  const std::string at = readable(path);
  return at.empty() ? IOStatus::PathNotFound(path) : target()->NewSequentialFile(at, options, file, debug);
}

IOStatus FrozenFiles::NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                          std::unique_ptr<rocksdb::FSRandomAccessFile>* file, rocksdb::IODebugContext* debug) {
  const std::string at = readable(path);
  return at.empty() ? IOStatus::PathNotFound(path) : target()->NewRandomAccessFile(at, options, file, debug);
}

IOStatus FrozenFiles::FileExists(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  const std::string at = readable(path);
  return at.empty() ? IOStatus::NotFound(path) : target()->FileExists(at, options, debug);
}

IOStatus FrozenFiles::GetChildren(const std::string& folder, const rocksdb::IOOptions& options, std::vector<std::string>* names,
                                  rocksdb::IODebugContext* debug) {
  if (!is_inside(folder + "/.")) return target()->GetChildren(folder, options, names, debug);
  names->clear();
  for (const auto& [name, descriptor] : descriptors_) names->push_back(name);
  return IOStatus::OK();
}

IOStatus FrozenFiles::GetFileSize(const std::string& path, const rocksdb::IOOptions& options, uint64_t* bytes,
                                  rocksdb::IODebugContext* debug) {
  const std::string at = readable(path);
  return at.empty() ? IOStatus::PathNotFound(path) : target()->GetFileSize(at, options, bytes, debug);
}

IOStatus FrozenFiles::NewWritableFile(const std::string& path, const rocksdb::FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>*,
                                      rocksdb::IODebugContext*) {
  return read_only(path);
}
IOStatus FrozenFiles::ReopenWritableFile(const std::string& path, const rocksdb::FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>*,
                                         rocksdb::IODebugContext*) {
  return read_only(path);
}
IOStatus FrozenFiles::ReuseWritableFile(const std::string& path, const std::string&, const rocksdb::FileOptions&,
                                        std::unique_ptr<rocksdb::FSWritableFile>*, rocksdb::IODebugContext*) {
  return read_only(path);
}
IOStatus FrozenFiles::NewRandomRWFile(const std::string& path, const rocksdb::FileOptions&, std::unique_ptr<rocksdb::FSRandomRWFile>*,
                                      rocksdb::IODebugContext*) {
  return read_only(path);
}
IOStatus FrozenFiles::DeleteFile(const std::string& path, const rocksdb::IOOptions&, rocksdb::IODebugContext*) { return read_only(path); }
IOStatus FrozenFiles::DeleteDir(const std::string& path, const rocksdb::IOOptions&, rocksdb::IODebugContext*) { return read_only(path); }
IOStatus FrozenFiles::RenameFile(const std::string& from, const std::string&, const rocksdb::IOOptions&, rocksdb::IODebugContext*) {
  return read_only(from);
}
IOStatus FrozenFiles::LinkFile(const std::string& from, const std::string&, const rocksdb::IOOptions&, rocksdb::IODebugContext*) {
  return read_only(from);
}
IOStatus FrozenFiles::Truncate(const std::string& path, size_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) {
  return read_only(path);
}

}  // namespace bouquet::server
