// The few operations on files that an artifact's life needs: write so that it survives a crash, map read-only, lock.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bouquet {

// Owns a file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// A new file with these bytes, synced. The file must not exist. Errors: ResourceExhausted, naming the file and the system's reason.
absl::Status write_new_file(const std::string& path, std::span<const std::byte> bytes);

// Makes the names inside a directory durable. Errors: ResourceExhausted.
absl::Status sync_directory(const std::string& path);

// Gives `from` the name `to`, both in `directory`, in the place of what has it, and makes that durable. Errors: ResourceExhausted.
absl::Status rename_durably(const std::string& from, const std::string& to, const std::string& directory);

// A regular file that is not a symbolic link, mapped read-only and alive as long as the pointer. Errors: NotFound, DataLoss (not a
// regular file), ResourceExhausted (the system does not let it be read now).
class MappedFile {
 public:
  static absl::StatusOr<std::shared_ptr<const MappedFile>> map(const std::string& path);
  MappedFile(const MappedFile&) = delete;
  ~MappedFile();
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(address_), size_}; }

 private:
  MappedFile(void* address, size_t size) : address_(address), size_(size) {}
  void* address_;
  size_t size_;
};

// A small regular file as text, at most `limit` bytes. Errors: NotFound, DataLoss (longer, not a regular file),
// ResourceExhausted (the system does not let it be read now).
absl::StatusOr<std::string> read_small_file(const std::string& path, size_t limit);

// An exclusive lock on a file, which the system drops when the process ends, however it ends.
class FileLock {
 public:
  // Waits for the lock; makes the file. Errors: ResourceExhausted.
  static absl::StatusOr<FileLock> acquire(const std::string& path);
  // Whether another process, or another FileLock, holds the lock of `path` now.
  static bool is_held(const std::string& path);

 private:
  explicit FileLock(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace bouquet
