// Who a request asks for and what is known of them: a stored customer or a visitor with events, attributes and what is looked at right now,
// read the same way for every method, and where their profile comes from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/answer_mix.h"
#include "engine/event_rules.h"
#include "server/answer_inputs.h"
#include "server/answer_rows.h"
#include "server/fold_in_batch.h"
#include "server/fresh_profiles.h"
#include "server/live_source.h"
#include "server/request_attributes.h"
#include "server/served_model.h"
#include "server/timestamps.h"

namespace bouquet::server {

// What a request says of the one it asks for. Borrowed.
struct Subject {
  const std::string* customer_id = nullptr;  // of a customer; or
  const v1::Visitor* visitor = nullptr;      // of a visitor
  const IdList* context_item_ids = nullptr;  // nullptr: the request has no such field
  SentAttributes attributes;
  const v1::PackedAttributes* packed = nullptr;  // nullptr: none
  int64_t min_version = 0;                       // of a customer; what must have been recorded
  const v1::AsOf* as_of = nullptr;               // of a customer; nullptr: now
  std::string_view placement = {};               // empty: none
};

// `wire`: the attributes that are not in the message; nullptr: none.
template <typename Request>
Subject subject_of(const Request& request, const WireAttributes* wire) {
  Subject subject{.attributes = {request.attributes(), wire}};
  if (request.has_visitor())
    subject.visitor = &request.visitor();
  else
    subject.customer_id = &request.customer_id();
  subject.min_version = request.min_profile_version();
  if (request.has_packed_attributes()) subject.packed = &request.packed_attributes();
  if constexpr (requires { request.as_of(); })
    if (request.has_as_of()) subject.as_of = &request.as_of();
  if constexpr (requires { request.context_item_ids(); }) subject.context_item_ids = &request.context_item_ids();
  if constexpr (requires { request.placement(); }) subject.placement = request.placement();
  return subject;
}

// What is newer than the model. Borrowed, thread-safe; the first two or neither.
struct LiveKnowledge {
  const LiveSource* source = nullptr;
  FreshProfiles* profiles = nullptr;
  FreshProfileObserver* observer = nullptr;  // may be none
};

// One asker. Kept from batch to batch for the memory of its vectors.
struct Asker {
  CustomerIndex customer = kNone;
  std::vector<CustomerIndex> rows;  // ascending: of all ids of the customer, `customer` among them
  std::string customer_id;          // where there is a version
  int64_t version = 0;              // of what is newer than the model; 0: nothing is
  bool stored = false;              // the stored profile answers as it is
  bool without_rows = false;        // what the model knows of what the customer did does not count
  bool kept = false;                // the profile was solved for nothing but the customer, and may answer again
  bool has_own_attributes = false;  // the request has some
  int32_t attributes_used = 0;
  EncodedRow attributes;                // where the model has a prior and the profile is solved
  std::vector<ItemIndex> context;       // known context items, ascending
  std::vector<Event> events;            // of a visitor, or of a customer and newer than the model
  std::vector<Event> of_unknown_types;  // likewise, of a customer; they are in no history, and their type says nothing
  std::vector<HistoryEntry> history;    // merged, when the profile is solved here
  std::vector<int32_t> items;           // the columns of `history`
  std::vector<uint8_t> consumed;
  std::vector<float> repurchase;
  HistoryView view;                           // those columns, or the stored ones where the stored profile answers
  int32_t fold_in = kNone;                    // position in the FoldInBatch
  std::shared_ptr<const FreshProfile> fresh;  // answers as it is, in the stored one's place
};

// One worker's. Not thread-safe.
class AskerReader {
 public:
  // All of it outlives this. `fold_in` may be nullptr when the model has no items, `names` when answers have none, `inputs` when nothing of
  // requests is kept.
  AskerReader(const ServedModel& served, FoldInBatch* fold_in, const LiveKnowledge& live, const AnswerNames* names,
              const AnswerInputs* inputs)
      : served_(served),
        fold_in_(fold_in),
        live_(live),
        names_(names),
        inputs_(inputs),
        attributes_(served.artifact().customer_attributes) {}

  // What came with the request of the answer that `subject` asks about (AsOf.recommendation_id) takes its place where this one leaves it
  // out; until the next call. Errors: InvalidArgument with BadRequest (no such answer, or one of another placement), FailedPrecondition (it
  // is gone), those of AnswerInputs::read.
  absl::Status complete(Subject& subject);

  // Reads `subject` of a valid request. Unless the stored profile answers, or nothing is known, the asker joins the FoldInBatch; with
  // `solved` the stored profile never answers. Errors: InvalidArgument with BadRequest, FailedPrecondition (attributes are packed for
  // another model, nothing is recorded), Unavailable (min_version has not been recorded), those of LiveSource::read and read_past; then
  // nothing has joined.
  absl::Status read(const Subject& subject, bool solved, Asker& asker);

  // The rest is for after FoldInBatch::solve(). Ok, or why the asker has no profile.
  absl::Status status(const Asker& asker) const;
  // [d], where that is Ok; empty: nothing is known of the asker, the profile is zero.
  std::span<const float> profile(const Asker& asker) const;

  // Whether something is known of the customer that the model does not know.
  bool has_news(const Subject& subject) const {
    return subject.customer_id != nullptr && live_.source != nullptr && live_.source->version_of(*subject.customer_id) != 0;
  }
  // Keeps the profile for the next request, if it may answer one.
  void keep(const Asker& asker) const;

  const RequestAttributes& attributes() const { return attributes_; }

 private:
  absl::Status read_visitor(const Subject& subject, Asker& asker) const;
  absl::Status read_events(const v1::Visitor& visitor, Asker& asker) const;
  absl::Status check_version(int64_t wanted) const;
  absl::Status read_customer(const Subject& subject, Asker& asker);
  absl::Status read_live(Asker& asker);
  void set_rows(Asker& asker) const;
  // Whether a profile is there that answers in the place of solving one.
  bool find_fresh(Asker& asker) const;
  absl::Status read_past(const Subject& subject, Asker& asker);
  absl::Status check_past_without_store(const Subject& subject) const;
  LiveSource::TakeEvent take_into(Asker& asker) const;
  absl::Status read_attributes(const Subject& subject, Asker& asker);
  void merge(Asker& asker);

  const ServedModel& served_;
  FoldInBatch* fold_in_;
  const LiveKnowledge live_;
  std::vector<KnownAttributes> known_ids_;  // of the asker
  const AnswerNames* const names_;
  const AnswerInputs* const inputs_;
  v1::RecommendRequest kept_;  // of the answer that was asked about last
  RequestAttributes attributes_;
  std::vector<HistoryEntry> known_, more_;
  std::vector<Event> events_;
};

}  // namespace bouquet::server
