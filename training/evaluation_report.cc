#include "training/evaluation_report.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace bouquet::training {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kShownMetrics[] = {"recall", "ndcg", "precision", "map", "mrr", "hit_rate", "coverage", "popularity"};

const char* title_of(Repeats repeats) {
  switch (repeats) {
    case Repeats::kInclude: return "everything, repeats included";
    case Repeats::kOnly: return "repeats alone";
    default: return "what is new to the customer";
  }
}

Json tables_json(const std::vector<MetricTable>& tables) {
  Json out = Json::object();
  for (const MetricTable& table : tables) out[table.subject] = metrics_json(table);
  return out;
}

// "better", "worse" or "no clear difference": what the paired interval of model less baseline says.
const char* verdict(const Metric& difference) {
  if (difference.low > 0) return "better";
  if (difference.high < 0) return "worse";
  return "no clear difference";
}

}  // namespace

Json metrics_json(const MetricTable& table) {
  Json out = Json::object();
  for (const Metric& m : table.metrics) out[m.name] = {{"value", m.value}, {"low", m.low}, {"high", m.high}};
  return out;
}

Json evaluation_json(const Evaluation& evaluation) {
  const std::vector<MetricTable> baselines(evaluation.tables.begin() + 1, evaluation.tables.end());
  const std::vector<MetricTable> unknown_baselines(evaluation.with_unknown.begin() + 1, evaluation.with_unknown.end());
  Json out;
  out["metrics"] = metrics_json(evaluation.tables[0]);
  out["customers"] = evaluation.tables[0].customers;
  out["protocol"] = {{"repeats", repeats_name(evaluation.repeats)}, {"k", evaluation.lengths}};
  out["baselines"] = tables_json(baselines);
  out["differences"] = tables_json(evaluation.differences);
  out["with_unknown"] = {{"customers", evaluation.with_unknown[0].customers},
                         {"metrics", metrics_json(evaluation.with_unknown[0])},
                         {"baselines", tables_json(unknown_baselines)}};
  out["segments"] = Json::array();
  for (const Segment& segment : evaluation.segments) {
    const std::vector<MetricTable> others(segment.tables.begin() + 1, segment.tables.end());
    out["segments"].push_back(
        {{"history_items", {{"least", segment.least}, {"most", segment.most == INT32_MAX ? Json() : Json(segment.most)}}},
         {"customers", segment.tables[0].customers},
         {"metrics", metrics_json(segment.tables[0])},
         {"baselines", tables_json(others)}});
  }
  return out;
}

std::string evaluation_table(const Evaluation& evaluation, int32_t length) {
  std::string out = absl::StrFormat("%s (repeats %s), %d customers, 95 %% intervals\n  %-15s", title_of(evaluation.repeats),
                                    std::string(repeats_name(evaluation.repeats)), evaluation.tables[0].customers, "");
  for (const MetricTable& table : evaluation.tables) out += absl::StrFormat("%-26s", table.subject);
  out += "model against them\n";
  for (const char* metric : kShownMetrics) {
    const std::string name = absl::StrFormat("%s@%d", metric, length);
    if (find_metric(evaluation.tables[0], name) == nullptr) continue;
    out += absl::StrFormat("  %-15s", name);
    for (const MetricTable& table : evaluation.tables) {
      const Metric& m = *find_metric(table, name);
      out += m.low == m.high ? absl::StrFormat("%-26s", absl::StrFormat("%.4f", m.value))
                             : absl::StrFormat("%-26s", absl::StrFormat("%.4f [%.4f, %.4f]", m.value, m.low, m.high));
    }
    // Coverage and popularity are no contest.
    if (std::string_view(metric) != "coverage" && std::string_view(metric) != "popularity")
      for (size_t s = 0; s < evaluation.differences.size(); ++s) {
        const Metric& d = *find_metric(evaluation.differences[s], name);
        out += absl::StrFormat("%s%+.4f %s", s > 0 ? " | " : "", d.value, verdict(d));
      }
    out += "\n";
  }
  return out;
}

std::string calibration_text(const Calibration& calibration) {
  std::string text;
  for (const CalibrationMap& map : calibration.maps) {
    const bool better = map.skill_low > 0;
    text += absl::StrFormat(
        "  %-8s %-10s %d rows offered, %d taken; log loss %.5f, of the constant rate %.5f: better by %.5f [%.5f, %.5f]%s; slope %.2f\n",
        item_kind_name(map.kind), map.source == AnswerSource::kModel ? "model" : "repurchase", map.rows, map.taken, map.log_loss,
        map.base_log_loss, map.base_log_loss - map.log_loss, map.skill_low, map.skill_high, better ? "" : " (not better)", map.slope);
  }
  if (text.empty()) return text;
  const std::string horizon = calibration.horizon_days > 0 ? absl::StrFormat("within %.4g days", calibration.horizon_days)
                                                           : std::string("next, in the held-back events");
  return absl::StrFormat("Probabilities that one of %d rows offered is taken %s, on customers that they were not fitted on:\n",
                         calibration.length, horizon) +
         text;
}

}  // namespace bouquet::training
