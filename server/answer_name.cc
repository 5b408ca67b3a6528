#include "server/answer_name.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/bad_request.h"

namespace bouquet::server {
namespace {

constexpr char kFormat = 1;
constexpr size_t kSealBytes = 16;
constexpr char kField[] = "as_of.recommendation_id";

absl::Status violation(const char* field, const char* problem) {
  FieldViolations violations;
  violations.add(field, problem);
  return violations.status();
}

uint32_t kinds_of(const v1::RecommendRequest& request) {
  uint32_t bits = 0;
  for (const int kind : request.kinds()) bits |= 1u << kind;
  return bits;
}

}  // namespace

AnswerName name_now(const char* method, const std::string& model_version, const std::string& placement, int32_t k) {
  AnswerName name;
  name.set_method(method);
  name.set_model_version(model_version);
  name.set_time(absl::ToUnixMicros(absl::Now()));
  name.set_placement(placement);
  name.set_k(k);
  return name;
}

AnswerNames::AnswerNames(const std::string& key) : seal_(key) {
  const auto digest = seal_.of("hashes");
  std::memcpy(&hash_key_, digest.data(), sizeof hash_key_);
}

std::string AnswerNames::seal(const AnswerName& name) const {
  thread_local std::string bytes;
  bytes.assign(1 + kSealBytes, kFormat);
  name.AppendToString(&bytes);
  const auto digest = seal_.of(std::string_view(bytes).substr(1 + kSealBytes));
  std::memcpy(bytes.data() + 1, digest.data(), kSealBytes);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<AnswerName> AnswerNames::open(std::string_view text, const char* field) const {
  std::string bytes;
  AnswerName name;
  if (absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &bytes) && bytes.size() > 1 + kSealBytes &&
      bytes[0] == kFormat) {
    const std::string_view sealed = std::string_view(bytes).substr(1 + kSealBytes);
    const auto digest = seal_.of(sealed);
    unsigned char difference = 0;  // in constant time
    for (size_t i = 0; i < kSealBytes; ++i) difference |= digest[i] ^ static_cast<unsigned char>(bytes[1 + i]);
    if (difference == 0 && name.ParseFromArray(sealed.data(), static_cast<int>(sealed.size()))) return name;
  }
  return violation(field, "is not the recommendation_id of an answer of this server (without --store they end with the process)");
}

// Never 0, which stands for nothing.
uint32_t AnswerNames::hash(std::string_view text, uint64_t seed) const {
  return std::max(static_cast<uint32_t>(XXH3_64bits_withSeed(text.data(), text.size(), hash_key_ ^ seed)), 1u);
}

uint32_t AnswerNames::hash_of_items(const v1::RecommendRequest& request) const {
  if (request.context_item_ids().empty() && request.exclude_item_ids().empty()) return 0;
  uint64_t sum = 0;  // the order does not matter, which of the two lists does
  for (const std::string& id : request.context_item_ids()) sum += hash(id, 1);
  for (const std::string& id : request.exclude_item_ids()) sum += hash(id, 2);
  return std::max(static_cast<uint32_t>(sum ^ sum >> 32), 1u);
}

void AnswerNames::set_asked(const v1::RecommendRequest& request, bool own_attributes, AnswerName& name) const {
  name.set_kinds(kinds_of(request));
  name.set_include_purchased(request.include_purchased());
  if (request.has_customer_id() && request.recipient_id().empty()) name.set_customer_hash(hash(request.customer_id()));
  if (!request.filter().empty()) name.set_filter_hash(hash(request.filter()));
  name.set_items_hash(hash_of_items(request));
  name.set_own_attributes(own_attributes);
  name.set_include_stddev(request.include_stddev());
}

absl::Status AnswerNames::check_customer(const AnswerName& name, const std::string& customer_id) const {
  if (name.customer_hash() == 0)
    return violation(kField,
                     name.log() != 0
                         ? "names an answer for a visitor: ask for a visitor, without events, which are kept"
                         : "names an answer for a visitor, a group or a gift, or one without a customer: those cannot be made again");
  if (name.customer_hash() != hash(customer_id)) return violation("customer_id", "is not whom that answer was made for");
  return absl::OkStatus();
}

absl::Status AnswerNames::check_visitor(const AnswerName& name) {
  if (name.customer_hash() != 0) return violation(kField, "names an answer for a customer: set customer_id");
  if (name.log() == 0) return violation(kField, "does not name an answer for a visitor of whom anything is kept");
  return absl::OkStatus();
}

absl::Status inputs_missing(const AnswerName& name, const std::string& what) {
  return absl::FailedPreconditionError(
      (name.log() != 0 ? "what came with the request then is gone (its time is over, the customer was erased, or it could not be written)"
                       : "what came with the request then is not kept") +
      std::string(": repeat its ") + what + " to have that answer again");
}

absl::Status AnswerNames::check_missing(const AnswerName& name, const v1::RecommendRequest& request, bool own_attributes) {
  std::string missing;
  const auto miss = [&](const char* field) { missing += (missing.empty() ? "" : ", ") + std::string(field); };
  if (request.filter().empty() && name.filter_hash() != 0) miss("filter");
  if (request.context_item_ids().empty() && request.exclude_item_ids().empty() && name.items_hash() != 0)
    miss("context_item_ids and exclude_item_ids");
  if (!own_attributes && name.own_attributes()) miss("attributes");
  return missing.empty() ? absl::OkStatus() : inputs_missing(name, missing);
}

absl::StatusOr<v1::RecommendRequest> AnswerNames::repeated(const AnswerName& name, const v1::RecommendRequest& request,
                                                           bool own_attributes) const {
  if (name.method() != kRecommendMethod) return violation(kField, "names the answer of another method than Recommend");
  if (absl::Status s = request.has_visitor() ? check_visitor(name) : check_customer(name, request.customer_id()); !s.ok()) return s;
  FieldViolations violations;
  const auto differs = [&](const char* field) {
    violations.add(field, "is not what that answer was asked; leave it out, or repeat it as it was");
  };
  if (!request.placement().empty() && request.placement() != name.placement()) differs("placement");
  if (request.k() != 0 && request.k() != name.k()) differs("k");
  if (!request.kinds().empty() && kinds_of(request) != name.kinds()) differs("kinds");
  if (request.include_purchased() && !name.include_purchased()) differs("include_purchased");
  if (request.has_exploration()) violations.add("exploration", "is that of the answer: leave it out");
  if (!request.filter().empty() && hash(request.filter()) != name.filter_hash()) differs("filter");
  if (const uint32_t items = hash_of_items(request); items != 0 && items != name.items_hash())
    differs("context_item_ids, exclude_item_ids");
  if (own_attributes && !name.own_attributes()) differs("attributes");
  if (!violations.empty()) return violations.status();
  if (absl::Status s = check_missing(name, request, own_attributes); !s.ok()) return s;

  v1::RecommendRequest whole = request;
  whole.set_placement(name.placement());
  whole.set_k(name.k());
  whole.set_include_purchased(name.include_purchased());
  whole.clear_kinds();
  for (int kind = v1::ITEM_KIND_PRODUCT; kind <= v1::ITEM_KIND_ACTION; ++kind)
    if ((name.kinds() >> kind & 1) != 0) whole.add_kinds(static_cast<v1::ItemKind>(kind));
  if (name.include_stddev() && name.exploration() == 0) whole.set_include_stddev(true);
  if (name.exploration() != 0) {
    whole.clear_explain();
    whole.mutable_exploration()->set_method(static_cast<v1::ExplorationMethod>(name.exploration()));
    whole.mutable_exploration()->set_scale(name.exploration_scale());
    whole.mutable_exploration()->set_seed(name.seed());
  }
  return whole;
}

}  // namespace bouquet::server
