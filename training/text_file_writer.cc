#include "training/text_file_writer.h"

#include <cerrno>
#include <cstring>

#include "engine/errors.h"

namespace bouquet::training {

absl::StatusOr<TextFileWriter> TextFileWriter::create(const std::string& path) {
  std::FILE* file = std::fopen((path + ".part").c_str(), "wbe");
  if (file == nullptr) return no_resource("cannot create " + path + ": " + std::strerror(errno));
  std::setvbuf(file, nullptr, _IONBF, 0);
  return TextFileWriter(path, file);
}

TextFileWriter::~TextFileWriter() {
  if (file_ != nullptr) std::remove(temporary().c_str());  // never finished
}

void TextFileWriter::flush() {
  if (!failed_ && std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size()) {
    failed_ = true;
    error_ = errno;
  }
  written_ += static_cast<int64_t>(buffer_.size());
  buffer_.clear();
}

absl::Status TextFileWriter::finish() {
  flush();
  if (failed_) return no_resource("cannot write " + path_ + ": " + std::strerror(error_));
  if (std::fclose(file_.release()) != 0 || std::rename(temporary().c_str(), path_.c_str()) != 0) {
    const int error = errno;
    std::remove(temporary().c_str());
    return no_resource("cannot write " + path_ + ": " + std::strerror(error));
  }
  return absl::OkStatus();
}

}  // namespace bouquet::training
