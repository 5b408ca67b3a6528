// A file system that says "no space" to every write while it is told to. That it is full shows only once a write has failed.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

namespace bouquet::server {

class FailingDisk : public rocksdb::FileSystemWrapper {
 public:
  FailingDisk() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FailingDisk"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result, rocksdb::IODebugContext* context) override {
    if (full) return no_space();
    std::unique_ptr<rocksdb::FSWritableFile> file;
    rocksdb::IOStatus made = target()->NewWritableFile(name, options, &file, context);
    if (made.ok()) *result = std::make_unique<File>(*this, std::move(file));
    return made;
  }

  rocksdb::IOStatus GetFreeSpace(const std::string&, const rocksdb::IOOptions&, uint64_t* free_bytes, rocksdb::IODebugContext*) override {
    *free_bytes = full && noticed ? 0 : free.load();
    return rocksdb::IOStatus::OK();
  }

  void set_full(bool is_full) {
    noticed = false;
    full = is_full;
  }

  std::atomic<uint64_t> free{uint64_t{1} << 40};
  std::atomic<bool> full{false}, noticed{false};

 private:
  rocksdb::IOStatus no_space() {
    noticed = true;
    return rocksdb::IOStatus::NoSpace("the test's disk is full");
  }

  // Half of what does not fit is written, as a real disk may do.
  class File : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(FailingDisk& disk, std::unique_ptr<rocksdb::FSWritableFile>&& file)
        : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), disk_(disk) {}
    rocksdb::IOStatus Append(const rocksdb::Slice& bytes, const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
      if (!disk_.full) return target()->Append(bytes, options, context);
      target()->Append({bytes.data(), bytes.size() / 2}, options, context);
      return disk_.no_space();
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& bytes, const rocksdb::IOOptions& options, const rocksdb::DataVerificationInfo&,
                             rocksdb::IODebugContext* context) override {
      return Append(bytes, options, context);
    }

   private:
    FailingDisk& disk_;
  };
};

}  // namespace bouquet::server
