// Writes a large text file through one buffer. The file appears under its name when it is whole.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bouquet::training {

class TextFileWriter {
 public:
  // Errors: ResourceExhausted, naming the file; from finish() also for every write before it.
  static absl::StatusOr<TextFileWriter> create(const std::string& path);
  TextFileWriter(TextFileWriter&&) = default;
  TextFileWriter& operator=(TextFileWriter&&) = delete;
  ~TextFileWriter();

  void put(std::string_view text) {
    if (buffer_.size() + text.size() > kBuffer) flush();
    buffer_.append(text);
  }
  void put(char c) { put(std::string_view(&c, 1)); }
  void put(int64_t number) {
    char digits[24];
    put(std::string_view(digits, static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits)));
  }
  bool failed() const { return failed_; }
  int64_t bytes() const { return written_ + static_cast<int64_t>(buffer_.size()); }
  absl::Status finish();

 private:
  static constexpr size_t kBuffer = size_t{1} << 20;
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  TextFileWriter(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) { buffer_.reserve(kBuffer); }
  void flush();
  std::string temporary() const { return path_ + ".part"; }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string buffer_;
  int64_t written_ = 0;
  bool failed_ = false;
  int error_ = 0;
};

}  // namespace bouquet::training
