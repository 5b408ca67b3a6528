// The Recommend requests of one batch, from request to response: add() them, solve(), let the ranking run, finish().
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/answer_mix.h"
#include "engine/content_blend.h"
#include "engine/event_rules.h"
#include "server/fold_in_batch.h"
#include "server/ranking_batch.h"
#include "server/request_attributes.h"
#include "server/served_model.h"

namespace bouquet::server {

// One worker's; its memory is reused from batch to batch. Not thread-safe.
class RecommendBatch {
 public:
  // All three outlive the batch. `fold_in` and `ranking` may be nullptr when the model has no items.
  RecommendBatch(const ServedModel& served, FoldInBatch* fold_in, RankingBatch* ranking)
      : served_(served),
        fold_in_(fold_in),
        ranking_(ranking),
        attributes_(served.artifact().customer_attributes),
        blend_(served.artifact().model, served.artifact().content_links) {}

  void clear() { size_ = 0; }
  // Takes a valid request (request_limits.h). `status` tells later how it went. All three outlive finish().
  void add(const v1::RecommendRequest& request, v1::RecommendResponse* response, absl::Status* status);
  // After fold_in has solved: hands the profiles to the ranking.
  void hand_over();
  // After the ranking has run: writes the responses.
  void finish(const absl::Status& ranked);

 private:
  // One request on its way. Kept from batch to batch for the memory of its vectors.
  struct Plan {
    v1::RecommendResponse* response = nullptr;
    absl::Status* status = nullptr;
    int32_t k = 0;
    ItemSelection selection;
    bool include_purchased = false;
    v1::Explain explain = v1::EXPLAIN_UNSPECIFIED;
    bool has_own_attributes = false;  // the request names some
    int32_t attributes_used = 0;
    EncodedRow attributes;  // where the model has a prior
    CustomerIndex customer = kNone;
    std::vector<ItemIndex> context;     // known context items, ascending
    std::vector<ItemIndex> listed;      // context and exclude_item_ids, ascending
    std::vector<ItemIndex> excluded;    // listed and everything consumed, ascending
    std::vector<Event> events;          // of a visitor
    std::vector<HistoryEntry> history;  // merged, when the profile is solved here
    std::vector<int32_t> items;         // the columns of `history`
    std::vector<uint8_t> consumed;
    std::vector<float> repurchase;
    HistoryView view;         // those columns, or the stored ones where the stored profile answers
    int32_t fold_in = kNone;  // position in fold_in_
    int32_t query = kNone;    // position in ranking_; kNone: nothing is known of the customer
  };

  // Whether the stored profile answers as it is.
  static bool answers_from_the_store(const Plan& plan);
  absl::Status read_attributes(const v1::RecommendRequest& request, Plan& plan);
  absl::Status read_events(const v1::Visitor& visitor, Plan& plan) const;
  void read_stored_history(Plan& plan) const;
  void add_context(Plan& plan) const;
  static void view_history(Plan& plan);
  static void exclude_consumed(Plan& plan);
  void prepare(Plan& plan);
  void write(Plan& plan);
  void write_personal(Plan& plan);
  std::span<const float> profile_of(const Plan& plan) const;
  void write_popular(Plan& plan) const;
  // Explains the rows of the response that come from the model.
  void explain(Plan& plan);
  void rank_head(const Plan& plan);

  const ServedModel& served_;
  FoldInBatch* fold_in_;
  RankingBatch* ranking_;
  RequestAttributes attributes_;
  ContentBlend blend_;
  std::vector<Plan> plans_;
  size_t size_ = 0;
  std::vector<AnswerRow> head_, answer_;
  std::vector<float> cholesky_;
  std::vector<ItemIndex> offered_;
};

}  // namespace bouquet::server
