// The files of a store as they are at one moment, beside a server that goes on with them.
#pragma once

#include <rocksdb/file_system.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bouquet::server {

// What RocksDB is given to read in place of the folder. Each file that counts has been opened, so that it can be read to its end after the
// server has removed it; what the server makes later is not there. For reading alone: thread-safe then.
//
// The moment: StoreDatabase begins a new list of files (MANIFEST) with every change, and a list is whole before CURRENT names it. If
// CURRENT names the same list before all files were opened and after, then all that it lists were there; and so were the write-ahead logs
// that it needs, of which only the newest can still grow: what is read of it is a beginning of what was written. Reads through
// /proc/self/fd.
class FrozenFiles final : public rocksdb::FileSystemWrapper {
 public:
  // Tries again while the server changes its files. `folder` is canonical: paths are told apart by their text. Errors: ResourceExhausted
  // (they change too fast for 20 s, or more files than the process may open).
  static absl::StatusOr<std::shared_ptr<FrozenFiles>> of(const std::string& folder);
  ~FrozenFiles() override;
  FrozenFiles(const FrozenFiles&) = delete;
  FrozenFiles& operator=(const FrozenFiles&) = delete;

  // Whatever would change the folder is refused.
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* file, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteDir(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Truncate(const std::string& path, size_t bytes, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;

  static const char* kClassName() { return "BouquetFrozenFiles"; }
  const char* Name() const override { return kClassName(); }

  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus FileExists(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetChildren(const std::string& folder, const rocksdb::IOOptions& options, std::vector<std::string>* names,
                                rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFileSize(const std::string& path, const rocksdb::IOOptions& options, uint64_t* bytes,
                                rocksdb::IODebugContext* debug) override;

 private:
  explicit FrozenFiles(const std::string& folder);
  // Ok and false: the server has changed its files meanwhile.
  absl::StatusOr<bool> open_all();
  void close_all();
  bool is_inside(const std::string& path) const;
  // Where the file can be read; empty: there is no such file.
  std::string readable(const std::string& path) const;

  const std::string folder_;
  std::map<std::string, int> descriptors_;  // by file name
};

}  // namespace bouquet::server
