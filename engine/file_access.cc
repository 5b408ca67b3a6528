#include "engine/file_access.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status failed(std::string_view what, const std::string& path, int error) {
  return no_resource("cannot " + std::string(what) + " " + path + ": " + std::strerror(error));
}

absl::Status unreadable(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) return missing_input(path + ": no such file");
  if (error == ELOOP) return bad_input(path + ": is a symbolic link; an artifact's files must be files");
  return failed("read", path, error);
}

// Opens a regular file for reading, without following a link in the last part and without waiting on a pipe.
absl::StatusOr<FileDescriptor> open_regular(const std::string& path, size_t& size) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open()) return unreadable(path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return unreadable(path, errno);
  if (!S_ISREG(status.st_mode)) return bad_input(path + ": is not a regular file");
  size = static_cast<size_t>(status.st_size);
  return file;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status write_new_file(const std::string& path, std::span<const std::byte> bytes) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file.is_open()) return failed("create", path, errno);
  constexpr size_t kMostAtOnce = size_t{1} << 30;  // the system writes no more than 2 GiB in one call
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), std::min(bytes.size(), kMostAtOnce));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path, errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  if (::fsync(file.get()) != 0) return failed("sync", path, errno);
  return absl::OkStatus();
}

absl::Status sync_directory(const std::string& path) {
  const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open()) return failed("open", path, errno);
  if (::fsync(directory.get()) != 0) return failed("sync", path, errno);
  return absl::OkStatus();
}

absl::Status rename_durably(const std::string& from, const std::string& to, const std::string& directory) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return no_resource("cannot rename " + from + " to " + to + ": " + std::strerror(errno));
  return sync_directory(directory);
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::map(const std::string& path) {
  size_t size = 0;
  const absl::StatusOr<FileDescriptor> file = open_regular(path, size);
  if (!file.ok()) return file.status();
  void* address = nullptr;  // an empty file cannot be mapped and needs no mapping
  if (size > 0) {
    address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file->get(), 0);
    if (address == MAP_FAILED) return unreadable(path, errno);
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(address, size));
}

MappedFile::~MappedFile() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

absl::StatusOr<std::string> read_small_file(const std::string& path, size_t limit) {
  size_t size = 0;
  const absl::StatusOr<FileDescriptor> file = open_regular(path, size);
  if (!file.ok()) return file.status();
  std::string text(std::min(size, limit) + 1, '\0');  // one more than it should have: a file that grows is noticed
  size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t count = ::read(file->get(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(path, errno);
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  if (filled > limit) return bad_input(path + ": is longer than " + std::to_string(limit) + " bytes");
  text.resize(filled);
  return text;
}

absl::StatusOr<FileLock> FileLock::acquire(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file.is_open()) return failed("create", path, errno);
  while (::flock(file.get(), LOCK_EX) != 0)
    if (errno != EINTR) return failed("lock", path, errno);
  return FileLock(std::move(file));
}

bool FileLock::is_held(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) return errno == EACCES;  // another account's lock: leave it alone
  return ::flock(file.get(), LOCK_EX | LOCK_NB) != 0;
}

}  // namespace bouquet
