// Parquet by Arrow, row group by row group, only the wanted columns.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "training/table_reader.h"

namespace bouquet::training {

// Errors: NotFound, DataLoss (not a Parquet file, damaged, a column name twice), Unimplemented (a build without Parquet).
absl::StatusOr<std::unique_ptr<TableReader>> open_parquet(const std::string& path);

// Whether this build has Arrow.
bool can_read_parquet();

}  // namespace bouquet::training
