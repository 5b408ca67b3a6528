#include "training/train_report.h"

#include <cstdio>
#include <utility>

#include "training/evaluation_report.h"
#include "training/read_report.h"
#include "training/set_attributes.h"

namespace bouquet::training {
namespace {

using Json = nlohmann::ordered_json;

Json reading_json(const ReadReport& r) {
  return {{"rows", r.rows},
          {"events", r.events},
          {"anonymous", r.anonymous},
          {"returns", r.returns},
          {"zero_values", r.zero_values},
          {"dropped_customers", r.dropped_customers},
          {"filtered", r.filtered},
          {"repeated", r.repeated},
          {"future", r.future},
          {"bad_rows", r.bad_rows},
          {"suspected_robots", r.suspected_robot_count},
          {"seconds", r.seconds}};
}

Json attributes_json(const EntityAttributes& read) {
  Json attributes = Json::array(), findings = Json::array();
  for (const Attribute& a : read.schema.attributes()) attributes.push_back({{"name", a.name}, {"type", attribute_type_name(a.type())}});
  for (const AttributeFinding& f : read.findings) findings.push_back(f.attribute + " " + f.message);
  return {{"attributes", std::move(attributes)},
          {"dense_columns", read.schema.dense_count()},
          {"columns", read.schema.column_count()},
          {"without_row", read.without_row},
          {"findings", std::move(findings)}};
}

Json relevance_json(const std::vector<AttributeRelevance>& relevance) {
  Json out = Json::object();
  for (const AttributeRelevance& a : relevance) out[a.name] = a.share;
  return out;
}

Json outcome_json(const TrainingOutcome& outcome, const Dataset& dataset, const std::string& version, double seconds) {
  const Artifact& a = outcome.artifact;
  Json epochs = Json::array();
  for (const EpochReport& e : outcome.epochs)
    epochs.push_back({{"epoch", e.epoch}, {"objective", e.objective}, {"select_metric", e.select_metric}, {"seconds", e.seconds}});
  Json evaluations = Json::array();
  for (const Evaluation& evaluation : outcome.evaluations) evaluations.push_back(evaluation_json(evaluation));
  Json calibration = Json::array();
  for (size_t m = 0; m < a.calibration.maps.size(); ++m) {
    const CalibrationMap& map = a.calibration.maps[m];
    Json bins = Json::array();
    for (const ReliabilityBin& bin : outcome.reliability[m])
      bins.push_back({{"rows", bin.rows}, {"predicted", bin.predicted}, {"taken", bin.taken}});
    calibration.push_back({{"source", map.source == AnswerSource::kModel ? "MODEL" : "REPURCHASE"},
                           {"kind", item_kind_name(map.kind)},
                           {"horizon_days", a.calibration.horizon_days},
                           {"length", a.calibration.length},
                           {"rows", map.rows},
                           {"taken", map.taken},
                           {"log_loss", map.log_loss},
                           {"base_log_loss", map.base_log_loss},
                           {"skill", {{"value", map.base_log_loss - map.log_loss}, {"low", map.skill_low}, {"high", map.skill_high}}},
                           {"slope", map.slope},
                           {"reliability", std::move(bins)}});
  }
  return {{"version", version.empty() ? Json() : Json(version)},
          {"read", reading_json(dataset.report)},
          {"customers", a.customer_ids.size()},
          {"items", a.item_ids.size()},
          {"pairs", a.histories.items.size()},
          {"epochs", a.recipe.epochs},
          {"validation", a.recipe.validation},
          {"fit", std::move(epochs)},
          {"repurchase", {{"half_life_days", a.rules.repurchase_half_life_days}, {"share", a.repurchase.share}}},
          {"evaluations", std::move(evaluations)},
          {"calibration", std::move(calibration)},
          {"attribute_relevance",
           {{"customers", relevance_json(outcome.relevance.customers)}, {"items", relevance_json(outcome.relevance.items)}}},
          {"noise_variance", a.uncertainty.noise_variance},
          {"empty_history_share", a.model.constants.empty_history_share},
          {"backend", a.recipe.backend},
          {"seconds", seconds}};
}

// Of the largest fit, and of what judges its epochs.
MemoryTable planned_memory(const TrainingRequest& request, const Interactions& interactions, const Backend& backend) {
  MemoryTable memory = backend.training_memory(interactions, request.options);
  if (request.validation.kind == ValidationKind::kNone) return memory;
  const AnswerOptions answering = selecting_answers(request, Repeats::kExclude);
  const MemoryTable judging = backend.judging_memory(judging_shape(interactions, request.options.dimension, answering));
  for (const MemoryUse& use : judging.lines()) memory.add(use.purpose, use.bytes);
  return memory;
}

}  // namespace

absl::Status print_dry_run(const TrainPlan& plan, const Dataset& dataset, const Backend& backend, bool json) {
  const auto split = split_events(dataset.events, plan.request.validation, plan.request.options.seed);
  if (!split.ok()) return split.status();
  const auto set = training_set(dataset, {}, has_attributes(dataset) && plan.request.attributes != UseAttributes::kOff);
  if (!set.ok()) return set.status();
  const int32_t customers = set->interactions.customer_count(), items = set->interactions.item_count();
  const int64_t factor_bytes = (int64_t{customers} + items) * plan.request.options.dimension * int64_t{sizeof(float)};
  const MemoryTable memory = planned_memory(plan.request, set->interactions, backend);
  if (json) {
    Json uses = Json::object();
    for (const MemoryUse& use : memory.lines()) uses[use.purpose] = use.bytes;
    const Json out{{"dry_run", true},
                   {"read", reading_json(dataset.report)},
                   {"customer_attributes", attributes_json(dataset.customer_attributes)},
                   {"item_attributes", attributes_json(dataset.item_attributes)},
                   {"validation", to_string(plan.request.validation)},
                   {"events", {{"fit", split->count(kFit)}, {"select", split->count(kSelect)}, {"judge", split->count(kJudge)}}},
                   {"customers", customers},
                   {"items", items},
                   {"pairs", set->interactions.pair_count()},
                   {"dimension", plan.request.options.dimension},
                   {"factor_bytes", factor_bytes},
                   {"device_bytes", std::move(uses)},
                   {"backend", backend.description()}};
    std::printf("%s\n", out.dump(2).c_str());
    return absl::OkStatus();
  }
  std::fputs(read_report_text(dataset).c_str(), stdout);
  std::printf("would train on %d customers, %d items, %lld distinct pairs with d = %d (%.1f MB of factors) on %s\n", customers, items,
              static_cast<long long>(set->interactions.pair_count()), plan.request.options.dimension,
              static_cast<double>(factor_bytes) / 1e6, backend.description().c_str());
  std::printf("validation %s: %lld events to fit, %lld to select, %lld to judge\n", to_string(plan.request.validation).c_str(),
              static_cast<long long>(split->count(kFit)), static_cast<long long>(split->count(kSelect)),
              static_cast<long long>(split->count(kJudge)));
  if (!memory.lines().empty())
    std::printf("on the device, beside what driver and libraries take for themselves:\n%s", memory.text().c_str());
  std::printf("nothing was trained or published (--dry-run)\n");
  return absl::OkStatus();
}

void print_outcome_json(const TrainingOutcome& outcome, const Dataset& dataset, const std::string& version, double seconds) {
  std::printf("%s\n", outcome_json(outcome, dataset, version, seconds).dump(2).c_str());
}

void print_outcome(const TrainingOutcome& outcome, const std::string& models, const std::string& version, double seconds) {
  const Artifact& a = outcome.artifact;
  if (!outcome.evaluations.empty())
    std::printf("Judged once on the part that nothing was chosen on (--validation %s), before the refit on everything:\n",
                a.recipe.validation.c_str());
  for (const Evaluation& evaluation : outcome.evaluations) std::printf("\n%s", evaluation_table(evaluation, 20).c_str());
  if (!a.calibration.maps.empty()) std::printf("\n%s", calibration_text(a.calibration).c_str());
  std::printf("%s%d customers, %d items, %lld pairs, d = %d, %d epochs, in %s\n", outcome.evaluations.empty() ? "" : "\n",
              a.customer_ids.size(), a.item_ids.size(), static_cast<long long>(a.histories.items.size()), a.model.dimension,
              a.recipe.epochs, duration_text(seconds).c_str());
  if (version.empty())
    std::printf("not published (--publish never)\n");
  else
    std::printf("published %s in %s; it is the current model\n", version.c_str(), models.c_str());
}

}  // namespace bouquet::training
