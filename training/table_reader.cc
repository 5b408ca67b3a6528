#include "training/table_reader.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/errors.h"
#include "training/byte_source.h"
#include "training/csv_reader.h"
#include "training/jsonl_reader.h"
#include "training/parquet_reader.h"
#include "training/text_blocks.h"

namespace bouquet::training {
namespace {

enum class Format { kCsv, kJsonl, kParquet, kUnknown };

struct FileKind {
  Format format = Format::kUnknown;
  Compression compression = Compression::kNone;
};

bool take_suffix(std::string& name, std::string_view suffix) {
  if (name.size() < suffix.size() || name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0) return false;
  name.resize(name.size() - suffix.size());
  return true;
}

FileKind kind_of(const std::string& path) {
  if (path == "-") return {Format::kCsv, Compression::kNone};
  std::string name = std::filesystem::path(path).filename().string();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  FileKind kind;
  if (take_suffix(name, ".gz"))
    kind.compression = Compression::kGzip;
  else if (take_suffix(name, ".zst"))
    kind.compression = Compression::kZstd;
  for (const char* suffix : {".csv", ".tsv", ".txt"})
    if (take_suffix(name, suffix)) kind.format = Format::kCsv;
  for (const char* suffix : {".jsonl", ".ndjson", ".json"})
    if (take_suffix(name, suffix)) kind.format = Format::kJsonl;
  for (const char* suffix : {".parquet", ".pq"})
    if (take_suffix(name, suffix)) kind.format = Format::kParquet;
  return kind;
}

// What a file is by its first bytes where that is not what its suffix says.
absl::Status check_first_bytes(const std::string& path, std::string_view start) {
  const auto starts = [&](std::string_view magic) { return start.substr(0, magic.size()) == magic; };
  if (starts("PAR1")) return bad_input(path + ": is a Parquet file by its first bytes; its name must end in .parquet");
  if (starts("\x1f\x8b")) return bad_input(path + ": is compressed with gzip by its first bytes; its name must end in .gz");
  if (starts("\x28\xb5\x2f\xfd")) return bad_input(path + ": is compressed with zstd by its first bytes; its name must end in .zst");
  if (starts("PK\x03\x04")) return bad_input(path + ": is a zip file (or a spreadsheet) by its first bytes; unpack it, or save it as CSV");
  if (starts("\xff\xfe") || starts("\xfe\xff")) return bad_input(path + ": is UTF-16 by its first bytes; save it as UTF-8");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TableReader>> open_text(const std::string& path, const FileKind& kind, const TableOptions& options) {
  auto source = open_bytes(path, kind.compression);
  if (!source.ok()) return source.status();
  const std::string shown = path == "-" ? "standard input" : path;
  auto blocks = std::make_unique<TextBlocks>(shown, *std::move(source), options.block_bytes);
  const auto start = blocks->peek(4);
  if (!start.ok()) return start.status();
  if (start->empty()) return bad_input(shown + ": is empty");
  if (auto status = check_first_bytes(shown, *start); !status.ok()) return status;
  if (start->substr(0, 3) == "\xef\xbb\xbf") blocks->consume(3);
  return kind.format == Format::kCsv ? open_csv(shown, std::move(blocks)) : open_jsonl(shown, std::move(blocks));
}

absl::Status check_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return missing_input(path + ": there is no such file");
  if (std::filesystem::is_directory(status)) return bad_input(path + ": is a directory; name its files, for instance '" + path + "/*.csv'");
  if (std::filesystem::is_regular_file(status) && std::filesystem::file_size(path, error) == 0)
    return bad_input(path + ": is empty (0 bytes)");
  return absl::OkStatus();
}

std::vector<std::string> matches_of(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> open_table(const std::string& path, const TableOptions& options) {
  if (path != "-") {
    if (auto status = check_file(path); !status.ok()) return status;
  }
  const FileKind kind = kind_of(path);
  if (kind.format == Format::kUnknown)
    return wrong_usage(path +
                       ": its suffix does not say what it is; .csv, .tsv, .txt, .jsonl, .ndjson, .json (each also with .gz or .zst), "
                       ".parquet and .pq are read");
  if (kind.format != Format::kParquet) return open_text(path, kind, options);
  if (kind.compression != Compression::kNone)
    return wrong_usage(path + ": a Parquet file is compressed inside and cannot be read through .gz or .zst; unpack it first");
  return open_parquet(path);
}

absl::StatusOr<std::vector<std::string>> expand_paths(std::span<const std::string> paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    const bool pattern = path != "-" && path.find_first_of("*?[") != std::string::npos && !std::filesystem::exists(path);
    const std::vector<std::string> found = pattern ? matches_of(path) : std::vector<std::string>{path};
    if (found.empty()) return missing_input(path + ": no file matches this pattern");
    files.insert(files.end(), found.begin(), found.end());
  }
  std::set<std::string> seen;
  for (const std::string& file : files) {
    std::error_code error;
    const auto real = std::filesystem::weakly_canonical(file, error);
    if (!seen.insert(error ? file : real.string()).second) return wrong_usage(file + ": is named twice; its rows would count double");
  }
  return files;
}

}  // namespace bouquet::training
