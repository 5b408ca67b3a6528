#include "engine/uncertainty.h"

#include <cmath>

#include "engine/array_checks.h"

namespace bouquet {

absl::Status validate(const Uncertainty& u, const Model& model) {
  if (!(u.noise_variance >= 0) || !std::isfinite(u.noise_variance))
    return bad_input(absl::StrCat("the noise variance is ", u.noise_variance, ", not a finite number of 0 or more"));
  if (u.basis.empty()) return check_size("item certainties without a basis", u.items.size(), 0);
  const int64_t d = model.dimension;
  if (absl::Status s = check_size("uncertainty basis", u.basis.size(), (d + 1) * d); !s.ok()) return s;
  for (int64_t e = 0; e < u.basis.size(); ++e) {
    if (!std::isfinite(u.basis[e])) return bad_entry("uncertainty basis", e, "is not finite");
    if (e >= d * d && u.basis[e] < 0) return bad_entry("uncertainty basis", e, "is an eigenvalue below 0");
  }
  if (u.items.size() % 2 != 0 || u.items.size() / 2 > model.item_count())
    return bad_input(absl::StrCat("item certainties: ", u.items.size(), " numbers for ", model.item_count(), " items"));
  for (int64_t e = 0; e < u.items.size(); ++e)
    if (!(u.items[e] >= 0) || !std::isfinite(u.items[e])) return bad_entry("item certainties", e, "is not a finite number of 0 or more");
  return absl::OkStatus();
}

}  // namespace bouquet
