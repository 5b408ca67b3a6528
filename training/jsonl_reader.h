// JSON lines: one object per line. The columns are the keys of the objects in the first MiB.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "training/table_reader.h"
#include "training/text_blocks.h"

namespace bouquet::training {

// Errors: DataLoss (no object in the first MiB, a JSON array instead of lines).
absl::StatusOr<std::unique_ptr<TableReader>> open_jsonl(const std::string& path, std::unique_ptr<TextBlocks> blocks);

}  // namespace bouquet::training
