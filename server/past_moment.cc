#include "server/past_moment.h"

#include "server/bad_request.h"
#include "server/request_limits.h"
#include "server/timestamps.h"

namespace bouquet::server {
namespace {

absl::Status violation(const char* field, const char* problem) {
  FieldViolations violations;
  violations.add(field, problem);
  return violations.status();
}

absl::StatusOr<PastMoment> moment_of_answer(const v1::AsOf& as_of, const std::string& customer_id, const Artifact& model,
                                            const AnswerNames* names) {
  const auto name = named_answer(as_of, names);
  if (!name.ok()) return name.status();
  if (absl::Status s = names->check_customer(*name, customer_id); !s.ok()) return s;
  if (absl::Status s = check_model(*name, model); !s.ok()) return s;
  return PastMoment{.up_to_version = name->profile_version(), .of_answer = true, .answered_at = name->time()};
}

}  // namespace

absl::StatusOr<AnswerName> named_answer(const v1::AsOf& as_of, const AnswerNames* names) {
  constexpr char kField[] = "as_of.recommendation_id";
  if (names == nullptr) return violation(kField, "cannot be read here: answers are named by servers and their stores");
  return names->open(as_of.recommendation_id(), kField);
}

absl::Status check_model(const AnswerName& name, const Artifact& model) {
  if (model.stands_for(name.model_version())) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the answer was made by model " + name.model_version() + ", and " + model.version +
      " serves: `bouquet recommend --as-of-answer` with --models and --store reads the other one, as long as "
      "the models directory has it");
}

absl::StatusOr<PastMoment> read_moment(const v1::AsOf& as_of, const std::string& customer_id, const Artifact& model,
                                       const AnswerNames* names) {
  switch (as_of.moment_case()) {
    case v1::AsOf::kTime:
      if (!is_timestamp(as_of.time())) return violation("as_of.time", "is not a valid google.protobuf.Timestamp");
      return PastMoment{.up_to_time = microseconds(as_of.time())};
    case v1::AsOf::kProfileVersion:
      if (as_of.profile_version() < 1) return violation("as_of.profile_version", "must be 1 or more");
      return PastMoment{.up_to_version = as_of.profile_version()};
    case v1::AsOf::kEventCount:
      if (as_of.event_count() < 0) return violation("as_of.event_count", "must be 0 or more");
      return PastMoment{.event_count = as_of.event_count()};
    case v1::AsOf::kRecommendationId: return moment_of_answer(as_of, customer_id, model, names);
    default: return violation("as_of", "says no moment: set time, profile_version, event_count or recommendation_id");
  }
}

}  // namespace bouquet::server
