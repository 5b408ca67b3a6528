// CSV with a header row: RFC 4180 quotes, fields apart by comma, semicolon or tab, LF or CRLF.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "training/table_reader.h"
#include "training/text_blocks.h"

namespace bouquet::training {

// Reads the header. Errors: DataLoss (no header, a name twice, another format).
absl::StatusOr<std::unique_ptr<TableReader>> open_csv(const std::string& path, std::unique_ptr<TextBlocks> blocks);

}  // namespace bouquet::training
