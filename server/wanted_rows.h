// What rows a recommending request asks for, together with its placement (placements.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/answer_inputs.h"
#include "server/answer_name.h"
#include "server/placements.h"
#include "server/served_model.h"

namespace bouquet::server {

// What answers go by besides the model and the request. Borrowed.
struct RowSettings {
  const Placements& placements;
  const AnswerNames* names = nullptr;    // nullptr: answers have no recommendation_id
  const AnswerInputs* inputs = nullptr;  // nullptr: what came with requests is not kept
  AnswerInputsLog* log = nullptr;        // nullptr: nor will it be
};

// The fields of a valid request that say it. Borrowed.
struct RowQuestion {
  const std::string& placement;  // empty: none
  int32_t k;
  const google::protobuf::RepeatedField<int>& kinds;
  const std::string& filter;
  bool may_mix;  // whether the method can answer with a mix of kinds
};

template <typename Request>
RowQuestion row_question(const Request& request, bool may_mix) {
  return {request.placement(), request.k(), request.kinds(), request.filter(), may_mix};
}

// One kind of a mix.
struct WantedKind {
  double share = 0;
  ItemSelection selection;
};

struct WantedRows {
  int32_t k = 0;
  ItemSelection selection;        // of all kinds
  std::vector<WantedKind> kinds;  // two and more: how they are mixed; empty: the best rows answer, whatever they are
};

// Errors: NotFound (no such placement), InvalidArgument with BadRequest (`kinds`: the placement allows none of them; `filter`; `placement`:
// it mixes and the method cannot), FailedPrecondition (the placement's filter cannot be asked of this model).
absl::StatusOr<WantedRows> wanted_rows(const ServedModel& served, const Placements& placements, const RowQuestion& question);

}  // namespace bouquet::server
