#include "bench/call_mix.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "bouquet/v1/profiles.pb.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/errors.h"

namespace bouquet::bench {
namespace {

namespace pb = bouquet::v1;

constexpr int32_t kMostItems = 5000;    // that are asked about
constexpr int64_t kPurchases = 50'000;  // that are written in turn
constexpr int64_t kStride = 7919;       // so that their items go round at another pace than their customers

struct KindName {
  const char* name;
  CallKind kind;
  const char* method;
};
constexpr std::array kKinds{KindName{"recommend", CallKind::kRecommend, "/bouquet.v1.Recommendations/Recommend"},
                            KindName{"explain", CallKind::kExplain, "/bouquet.v1.Recommendations/Recommend"},
                            KindName{"similar", CallKind::kSimilar, "/bouquet.v1.Recommendations/SimilarItems"},
                            KindName{"profile", CallKind::kProfile, "/bouquet.v1.Profiles/GetProfile"},
                            KindName{"record", CallKind::kRecord, "/bouquet.v1.Profiles/RecordEvents"}};

std::string customer_of(const Artifact& artifact, int64_t i) {
  return std::string(artifact.customer_ids.id(static_cast<int32_t>(i % artifact.model.customer_count())));
}
std::string item_of(const Artifact& artifact, int64_t i) {
  return std::string(artifact.item_ids.id(static_cast<int32_t>(i % artifact.model.item_count())));
}

template <typename Request, typename Response>
absl::Status fill_answers(server::Recommender& recommender, LoadKind& calls) {
  for (const std::string& bytes : calls.requests) {
    Request request;
    Response response;
    if (!request.ParseFromString(bytes)) return absl::InternalError("a request of the load cannot be read");
    const server::Question question = server::Exchange<Request, Response>{&request, &response};
    absl::Status answered;
    recommender.answer({&question, 1}, {&answered, 1});
    if (!answered.ok()) return answered;
    calls.answers.push_back(expected_answer(response));
  }
  return absl::OkStatus();
}

absl::Status fill_answers(CallKind kind, server::Recommender& recommender, LoadKind& calls) {
  switch (kind) {
    case CallKind::kRecommend:
    case CallKind::kExplain: return fill_answers<pb::RecommendRequest, pb::RecommendResponse>(recommender, calls);
    case CallKind::kSimilar: return fill_answers<pb::SimilarItemsRequest, pb::SimilarItemsResponse>(recommender, calls);
    case CallKind::kProfile: return fill_answers<pb::GetProfileRequest, pb::Profile>(recommender, calls);
    case CallKind::kRecord: break;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<MixPart>> parse_mix(const std::string& text) {
  std::vector<MixPart> mix;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<std::string, std::string> said = absl::StrSplit(part, absl::MaxSplits('=', 1));
    const auto known = std::ranges::find(kKinds, said.first, &KindName::name);
    if (known == kKinds.end())
      return wrong_usage("--mix: '" + said.first + "' is no kind of call; there are recommend, explain, similar, profile and record");
    MixPart& added = mix.emplace_back(MixPart{known->kind, 0});
    if (!absl::SimpleAtod(said.second, &added.share) || !(added.share > 0) || added.share > 1e6)
      return wrong_usage("--mix: the share of " + said.first + " must be a positive number, as in recommend=80,record=20");
    if (std::ranges::count(mix, known->kind, &MixPart::kind) > 1) return wrong_usage("--mix: " + said.first + " stands there twice");
  }
  return mix;
}

bool writes(const std::vector<MixPart>& mix) { return std::ranges::count(mix, CallKind::kRecord, &MixPart::kind) > 0; }

LoadKind calls_of(CallKind kind, const Artifact& artifact, int32_t k) {
  const auto named = std::ranges::find(kKinds, kind, &KindName::kind);
  LoadKind calls{.name = named->name, .method = named->method, .requests = {}, .answers = {}};
  const auto add = [&](const auto& request) { calls.requests.push_back(request.SerializeAsString()); };
  const int64_t customers = artifact.model.customer_count(), items = artifact.model.item_count();
  switch (kind) {
    case CallKind::kRecommend:
    case CallKind::kExplain:
      for (int64_t c = 0; c < customers; ++c) {
        pb::RecommendRequest request;
        request.set_customer_id(customer_of(artifact, c));
        request.set_k(k);
        if (kind == CallKind::kExplain) request.set_explain(pb::EXPLAIN_TOP);
        add(request);
      }
      break;
    case CallKind::kSimilar:
      for (int64_t i = 0, asked = std::min<int64_t>(items, kMostItems); i < asked; ++i) {
        pb::SimilarItemsRequest request;
        request.set_item_id(item_of(artifact, i * items / asked));
        request.set_k(k);
        add(request);
      }
      break;
    case CallKind::kProfile:
      for (int64_t c = 0; c < customers; ++c) {
        pb::GetProfileRequest request;
        request.set_customer_id(customer_of(artifact, c));
        add(request);
      }
      break;
    case CallKind::kRecord:
      for (int64_t i = 0; i < kPurchases; ++i) {
        pb::RecordEventsRequest request;
        request.add_events()->set_customer_id(customer_of(artifact, i));
        request.mutable_events(0)->mutable_event()->set_item_id(item_of(artifact, i * kStride));
        add(request);
      }
      break;
  }
  return calls;
}

absl::StatusOr<std::vector<LoadKind>> calls_of(const std::vector<MixPart>& mix, const Artifact& artifact, int32_t k,
                                               server::Recommender& recommender) {
  std::vector<LoadKind> all;
  for (const MixPart& part : mix) {
    LoadKind& calls = all.emplace_back(calls_of(part.kind, artifact, k));
    calls.share = part.share;
    if (!writes(mix) || part.kind == CallKind::kSimilar)
      if (absl::Status s = fill_answers(part.kind, recommender, calls); !s.ok()) return s;
  }
  return all;
}

}  // namespace bouquet::bench
