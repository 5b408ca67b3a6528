#include "engine/delta_checks.h"

#include <cmath>
#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

absl::Status check_rows(const char* what, MatrixView<const float> rows, int32_t dimension) {
  if (rows.rows == 0) return absl::OkStatus();
  if (rows.cols != dimension)
    return wrong_usage(std::string(what) + " of dimension " + std::to_string(rows.cols) + " are added to a model of dimension " +
                       std::to_string(dimension));
  if (rows.is_nowhere()) return wrong_usage("the " + std::string(what) + " that are added are a null pointer");
  for (int64_t r = 0; r < rows.rows; ++r)
    for (const float x : rows.row(r))
      if (!std::isfinite(x))
        return wrong_usage("row " + std::to_string(r) + " of the " + what + " that are added holds a number that is not finite");
  return absl::OkStatus();
}

}  // namespace

absl::Status validate(const ModelDelta& delta, int32_t dimension) {
  if (absl::Status s = check_rows("items", delta.items, dimension); !s.ok()) return s;
  return check_rows("customers", delta.customers, dimension);
}

}  // namespace bouquet
