// A file system that keeps what is not synced in the memory of the process: to kill the process is to cut the power.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <string>
#include <utility>

namespace bouquet::server {

class LossyDisk : public rocksdb::FileSystemWrapper {
 public:
  LossyDisk() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "LossyDisk"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result, rocksdb::IODebugContext* context) override {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    rocksdb::IOStatus made = target()->NewWritableFile(name, options, &file, context);
    if (made.ok()) *result = std::make_unique<File>(std::move(file));
    return made;
  }

 private:
  class File : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    using Options = rocksdb::IOOptions;
    using Context = rocksdb::IODebugContext;
    using Status = rocksdb::IOStatus;

    explicit File(std::unique_ptr<rocksdb::FSWritableFile>&& file) : rocksdb::FSWritableFileOwnerWrapper(std::move(file)) {
      size_ = target()->GetFileSize({}, nullptr);
    }
    Status Append(const rocksdb::Slice& bytes, const Options&, Context*) override {
      unsynced_.append(bytes.data(), bytes.size());
      size_ += bytes.size();
      return Status::OK();
    }
    Status Append(const rocksdb::Slice& bytes, const Options& options, const rocksdb::DataVerificationInfo&, Context* context) override {
      return Append(bytes, options, context);
    }
    Status Flush(const Options&, Context*) override { return Status::OK(); }
    Status RangeSync(uint64_t, uint64_t, const Options&, Context*) override { return Status::OK(); }
    Status Allocate(uint64_t, uint64_t, const Options&, Context*) override { return Status::OK(); }
    void PrepareWrite(size_t, size_t, const Options&, Context*) override {}
    uint64_t GetFileSize(const Options&, Context*) override { return size_; }
    Status Sync(const Options& options, Context* context) override {
      const Status written = write_out(options, context);
      return written.ok() ? target()->Sync(options, context) : written;
    }
    Status Fsync(const Options& options, Context* context) override { return Sync(options, context); }
    // RocksDB reads closed files back; those that matter are synced before.
    Status Close(const Options& options, Context* context) override {
      const Status written = write_out(options, context);
      return written.ok() ? target()->Close(options, context) : written;
    }

   private:
    Status write_out(const Options& options, Context* context) {
      if (unsynced_.empty()) return Status::OK();
      const Status written = target()->Append(unsynced_, options, context);
      unsynced_.clear();
      return written;
    }

    std::string unsynced_;
    uint64_t size_ = 0;
  };
};

}  // namespace bouquet::server
