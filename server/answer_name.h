// recommendation_id: what an answer says of itself, sealed with a key that no caller has, so that it can be asked for again without a log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "bouquet/store/v1/answer_name.pb.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/sha256.h"

namespace bouquet::server {

using AnswerName = store::v1::AnswerName;

inline constexpr char kRecommendMethod[] = "Recommend";  // AnswerName.method of answers that can be made again

// Of an answer that is made now. `placement` and `k`: as asked for, and as wanted.
AnswerName name_now(const char* method, const std::string& model_version, const std::string& placement, int32_t k);

// What came with the request of the named answer, `what` of it, is not there now. FailedPrecondition.
absl::Status inputs_missing(const AnswerName& name, const std::string& what);

// Makes names and reads them: base64url of a format byte, the first 16 bytes of HMAC-SHA256 and the name. Thread-safe.
class AnswerNames {
 public:
  // `key`: at least 16 bytes that nobody can guess.
  explicit AnswerNames(const std::string& key);

  std::string seal(const AnswerName& name) const;
  // Errors: InvalidArgument with BadRequest: not a name that was sealed with this key. `field` is the request's.
  absl::StatusOr<AnswerName> open(std::string_view text, const char* field) const;

  // What the request asks for besides, as far as a name keeps it. `own_attributes`: some came with it.
  void set_asked(const v1::RecommendRequest& request, bool own_attributes, AnswerName& name) const;
  // The request that the named answer was made for: what `request` leaves out is as it was then; `as_of` stays. Errors, with BadRequest:
  // InvalidArgument (it says something else than the answer was asked), FailedPrecondition (of what came with the request then something is
  // missing now).
  absl::StatusOr<v1::RecommendRequest> repeated(const AnswerName& name, const v1::RecommendRequest& request, bool own_attributes) const;
  // Whether the answer was made for this customer. Errors: InvalidArgument.
  absl::Status check_customer(const AnswerName& name, const std::string& customer_id) const;
  // Whether it was made for a visitor, and can be made again with what is kept. Errors: InvalidArgument.
  static absl::Status check_visitor(const AnswerName& name);

 private:
  static absl::Status check_missing(const AnswerName& name, const v1::RecommendRequest& request, bool own_attributes);
  uint32_t hash(std::string_view text, uint64_t seed = 0) const;
  uint32_t hash_of_items(const v1::RecommendRequest& request) const;

  HmacSha256 seal_;
  uint64_t hash_key_ = 0;
};

}  // namespace bouquet::server
