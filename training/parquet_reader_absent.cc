// For builds with -DBOUQUET_PARQUET=OFF.
#include "absl/status/status.h"
#include "training/parquet_reader.h"

namespace bouquet::training {

absl::StatusOr<std::unique_ptr<TableReader>> open_parquet(const std::string& path) {
  return absl::UnimplementedError(path +
                                  ": this build reads no Parquet; build with -DBOUQUET_PARQUET=ON (Arrow or the pyarrow wheel), or " +
                                  "save it as CSV or JSON lines");
}

bool can_read_parquet() { return false; }

}  // namespace bouquet::training
