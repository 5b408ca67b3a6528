// The Recommend requests of one batch, from request to response: add() them, solve(), let the ranking run, finish().
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/answer_mix.h"
#include "engine/content_blend.h"
#include "server/asker.h"
#include "server/fold_in_batch.h"
#include "server/group_askers.h"
#include "server/ranking_batch.h"
#include "server/served_model.h"
#include "server/wanted_rows.h"

namespace bouquet::server {

// One worker's; its memory is reused from batch to batch. Not thread-safe.
class RecommendBatch {
 public:
  // All of it outlives the batch. `fold_in` and `ranking` may be nullptr when the model has no items.
  RecommendBatch(const ServedModel& served, const RowSettings& settings, AskerReader& askers, FoldInBatch* fold_in, RankingBatch* ranking,
                 ContentBlend& blend)
      : served_(served), settings_(settings), askers_(askers), fold_in_(fold_in), ranking_(ranking), blend_(&blend) {}

  void clear() { size_ = 0; }
  // Takes a valid request (request_limits.h). `status` tells later how it went. All three outlive finish().
  void add(const v1::RecommendRequest& request, const WireAttributes* wire, v1::RecommendResponse* response, absl::Status* status);
  // After fold_in has solved: hands the profiles to the ranking.
  void hand_over();
  // After the ranking has run: writes the responses.
  void finish(const absl::Status& ranked);

 private:
  // The rows of one request that are ranked among themselves: one part, or one for each kind of a mix.
  struct Part {
    double share = 1;
    ItemSelection selection;
    int32_t query = kNone;  // position in ranking_
    std::vector<AnswerRow> rows;
  };
  // One request on its way. Kept from batch to batch for the memory of its vectors.
  struct Plan {
    const v1::RecommendRequest* request = nullptr;  // as it was sent, or `repeated`
    v1::RecommendRequest repeated;                  // what an earlier answer was asked
    v1::RecommendResponse* response = nullptr;
    absl::Status* status = nullptr;
    bool own_attributes = false;           // some came with the request, or with that of the answer that it repeats
    const WireAttributes* wire = nullptr;  // those that are not in `request`
    std::optional<AnswerName> repeats;     // the answer that is made again
    int32_t k = 0;
    std::vector<Part> parts;
    std::optional<v1::Exploration> exploration;  // with its seed and scale
    Asker asker;                                 // whose profile ranks, but for
    bool of_group = false;                       // those of `group`
    GroupAskers group;
    GroupAskers givers;               // of a gift
    std::vector<ItemIndex> listed;    // context, exclude_item_ids and what givers have, ascending
    std::vector<ItemIndex> excluded;  // listed and everything consumed, ascending
    std::vector<float> drawn;         // the profile that ranks in the place of the asker's; or empty
    bool known = false;               // something is known of the customer: every part has a query
  };

  // Everything of a request but who asks. Errors: those of wanted_rows and AnswerNames::repeated, FailedPrecondition.
  absl::Status read(const v1::RecommendRequest& request, Plan& plan);
  absl::Status read_repeated(const v1::RecommendRequest& request, Plan& plan);
  // What `plan.repeated` leaves out of what the answer was asked, as far as it is kept.
  absl::Status read_kept(Plan& plan) const;
  absl::Status read_exploration(Plan& plan);
  // Errors: those of AskerReader::read.
  absl::Status read_askers(const WireAttributes* wire, Plan& plan);
  void exclude(Plan& plan);
  static HistoryView history(const Plan& plan) { return plan.of_group ? plan.group.history() : plan.asker.view; }
  static int64_t version(const Plan& plan) { return plan.of_group ? plan.group.version() : plan.asker.version; }
  static bool by_least_score(const Plan& plan) { return plan.of_group && plan.request->group().rule() == v1::GROUP_RULE_LEAST_MISERY; }
  bool explores(const Plan& plan, v1::ExplorationMethod method) const;
  // Rows to rank for an answer of k.
  int32_t ranked_rows(const Plan& plan) const;
  // The profile that ranks. Errors: those of FoldInBatch::solved.
  absl::StatusOr<std::span<const float>> ranking_profile(Plan& plan);
  void write(Plan& plan);
  void rank_stored(Plan& plan);
  // Into solved_, where more than ranked rows is asked for. Errors: those of FoldInBatch::solved.
  absl::Status solve_again(const Plan& plan);
  void answer_personally(Plan& plan, Part& part);
  // Into rows_ and scores_.
  void rank_by_model(Plan& plan, const Part& part);
  std::vector<double> deviations() const;
  // Orders rows_ and scores_ by score + scale · deviation.
  void rank_by_upper_bound(const Plan& plan);
  // Orders rows_ and scores_ by the least score of any member of the group.
  void rank_by_least_score(const Plan& plan);
  // Puts the best k of these into rows_ and scores_.
  void keep_best(std::vector<std::pair<float, int32_t>>& order, int32_t k);
  void answer_popularly(const Plan& plan, Part& part) const;
  void write_rows(Plan& plan) const;
  void name(const Plan& plan) const;
  void keep_inputs(const Plan& plan, AnswerName& name) const;
  // Of the rows of the response that come from the model, whichever was asked for.
  void explain_and_deviate(Plan& plan);

  const ServedModel& served_;
  const RowSettings settings_;
  AskerReader& askers_;
  FoldInBatch* fold_in_;
  RankingBatch* ranking_;
  ContentBlend* blend_;
  std::vector<Plan> plans_;
  size_t size_ = 0;
  std::vector<ItemIndex> consumed_;
  std::vector<AnswerRow> head_;
  std::vector<int32_t> rows_;  // of the model, for one part
  std::vector<float> scores_;
  std::optional<SolvedCustomer> solved_;  // of the plan that is being written; its matrix is cholesky_
  std::vector<float> cholesky_;
  std::vector<v1::RecommendedItem*> offered_;
};

}  // namespace bouquet::server
