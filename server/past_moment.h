// An earlier moment of one customer, for answers as they would have been then: AsOf of a request, read.
#pragma once

#include <cstdint>
#include <limits>

#include "absl/status/statusor.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/artifact.h"
#include "server/answer_name.h"

namespace bouquet::server {

struct PastMoment {
  int64_t up_to_time = std::numeric_limits<int64_t>::max();     // events that happened up to then, microseconds since 1970
  int64_t up_to_version = std::numeric_limits<int64_t>::max();  // what arrived up to then
  int64_t event_count = std::numeric_limits<int64_t>::max();    // the first so many events
  // What an answer of this very model was made of: `up_to_version` is that of its profile (0: nothing newer than the model).
  bool of_answer = false;
  int64_t answered_at = 0;  // microseconds since 1970; of an answer
};

// The answer that `as_of` names. `names`: nullptr: this answerer names no answers. Errors, with BadRequest: InvalidArgument.
absl::StatusOr<AnswerName> named_answer(const v1::AsOf& as_of, const AnswerNames* names);

// Whether `model`, which serves, stands for the one that made the named answer (Artifact::stands_for). Errors: FailedPrecondition.
absl::Status check_model(const AnswerName& name, const Artifact& model);

// `names`: as for named_answer(). `model`: that serves. `customer_id`: who is asked for. Errors, with BadRequest:
// InvalidArgument (no moment is set, a count or version below 0, not a name, or that of an answer for somebody else), FailedPrecondition
// (another model made the answer).
absl::StatusOr<PastMoment> read_moment(const v1::AsOf& as_of, const std::string& customer_id, const Artifact& model,
                                       const AnswerNames* names);

}  // namespace bouquet::server
