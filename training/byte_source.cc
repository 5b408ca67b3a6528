#include "training/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "engine/errors.h"

namespace bouquet::training {
namespace {

constexpr size_t kInputBytes = size_t{1} << 18;

class PlainFile : public ByteSource {
 public:
  PlainFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~PlainFile() override {
    if (descriptor_ != STDIN_FILENO) close(descriptor_);
  }
  absl::StatusOr<size_t> read(char* to, size_t size) override {
    size_t filled = 0;
    while (filled < size) {
      const ssize_t got = ::read(descriptor_, to + filled, size - filled);
      if (got == 0) break;
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return bad_input(path_ + ": cannot be read: " + std::strerror(errno));
      filled += static_cast<size_t>(got);
    }
    return filled;
  }

 private:
  std::string path_;
  int descriptor_;
};

class GzipStream : public ByteSource {
 public:
  GzipStream(std::string path, std::unique_ptr<ByteSource> input) : path_(std::move(path)), input_(std::move(input)), buffer_(kInputBytes) {
    inflateInit2(&stream_, 15 + 16);  // 16: a gzip header, and nothing else
  }
  ~GzipStream() override { inflateEnd(&stream_); }

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out > 0 && !done_) {
      if (stream_.avail_in == 0) {
        auto got = input_->read(buffer_.data(), buffer_.size());
        if (!got.ok()) return got.status();
        if (*got == 0) {
          if (in_member_ || !any_member_)
            return bad_input(path_ + ": the gzip stream ends too early (truncated?); fetch or compress it again");
          done_ = true;
          break;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(*got);
      }
      if (auto status = inflate_some(); !status.ok()) return status;
    }
    return size - stream_.avail_out;
  }

 private:
  absl::Status inflate_some() {
    if (!in_member_ && any_member_) {  // gzip files may be joined end to end, and padded with zeros
      while (stream_.avail_in > 0 && *stream_.next_in == 0) ++stream_.next_in, --stream_.avail_in;
      if (stream_.avail_in == 0) return absl::OkStatus();
      inflateReset(&stream_);
    }
    in_member_ = true;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      in_member_ = false;
      any_member_ = true;
      return absl::OkStatus();
    }
    if (result == Z_OK || result == Z_BUF_ERROR) return absl::OkStatus();
    if (!any_member_ && stream_.total_out == 0 && result == Z_DATA_ERROR)
      return bad_input(path_ + ": is not a gzip file, though its name ends in .gz");
    return bad_input(path_ + ": the gzip stream is damaged (" + (stream_.msg == nullptr ? "unknown" : stream_.msg) + ")");
  }

  std::string path_;
  std::unique_ptr<ByteSource> input_;
  std::vector<char> buffer_;
  z_stream stream_{};
  bool in_member_ = false, any_member_ = false, done_ = false;
};

class ZstdStream : public ByteSource {
 public:
  ZstdStream(std::string path, std::unique_ptr<ByteSource> input)
      : path_(std::move(path)), input_(std::move(input)), buffer_(kInputBytes), stream_(ZSTD_createDStream()) {}
  ~ZstdStream() override { ZSTD_freeDStream(stream_); }

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    ZSTD_outBuffer out{to, size, 0};
    while (out.pos < out.size) {
      if (in_.pos == in_.size) {
        auto got = input_->read(buffer_.data(), buffer_.size());
        if (!got.ok()) return got.status();
        if (*got == 0 && flushed_) {
          if (!at_frame_end_) return bad_input(path_ + ": the zstd stream ends too early (truncated?); fetch or compress it again");
          break;
        }
        in_ = {buffer_.data(), *got, 0};
      }
      const size_t before = out.pos;
      const size_t result = ZSTD_decompressStream(stream_, &out, &in_);
      if (ZSTD_isError(result)) {
        if (!any_) return bad_input(path_ + ": is not a zstd file, though its name ends in .zst");
        return bad_input(path_ + ": the zstd stream is damaged (" + ZSTD_getErrorName(result) + ")");
      }
      any_ = true;
      at_frame_end_ = result == 0;
      flushed_ = out.pos == before || out.pos < out.size;
    }
    return out.pos;
  }

 private:
  std::string path_;
  std::unique_ptr<ByteSource> input_;
  std::vector<char> buffer_;
  ZSTD_DStream* stream_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool any_ = false, at_frame_end_ = false, flushed_ = true;
};

absl::Status cannot_open(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) return missing_input(path + ": there is no such file");
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(path + ": may not be read: " + std::strerror(error));
  return bad_input(path + ": cannot be opened: " + std::strerror(error));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> open_bytes(const std::string& path, Compression compression) {
  std::unique_ptr<ByteSource> file;
  if (path == "-") {
    file = std::make_unique<PlainFile>("standard input", STDIN_FILENO);
  } else {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return cannot_open(path, errno);
    file = std::make_unique<PlainFile>(path, descriptor);
    struct stat about {};
    if (fstat(descriptor, &about) == 0 && S_ISDIR(about.st_mode))
      return bad_input(path + ": is a directory; name its files, for instance '" + path + "/*.csv'");
  }
  switch (compression) {
    case Compression::kNone: return file;
    case Compression::kGzip: return std::make_unique<GzipStream>(path, std::move(file));
    case Compression::kZstd: return std::make_unique<ZstdStream>(path, std::move(file));
  }
  return file;
}

}  // namespace bouquet::training
