// Bytes of a file in order, decompressed by suffix.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace bouquet::training {

enum class Compression { kNone, kGzip, kZstd };

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Up to `size` bytes into `to`; fewer only at the end, 0 past it. Errors: DataLoss (truncated or damaged stream, a read error).
  virtual absl::StatusOr<size_t> read(char* to, size_t size) = 0;
};

// Opens `path`, or standard input for "-". Errors: NotFound, PermissionDenied, DataLoss (a directory).
absl::StatusOr<std::unique_ptr<ByteSource>> open_bytes(const std::string& path, Compression compression);

}  // namespace bouquet::training
