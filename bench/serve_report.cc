#include "bench/serve_report.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "bench/machine.h"
#include "bench/svg_plot.h"
#include "engine/errors.h"

namespace bouquet::bench {
namespace {

using Json = nlohmann::ordered_json;

// How many threads wanted a processor in the last minute: what was measured on a machine that does something else is worth little.
Json load_average() {
  double minutes[1];
  return getloadavg(minutes, 1) == 1 ? Json(minutes[0]) : Json();
}

std::string loop_text(const Json& row) {
  const double rate = row["rate"];
  if (rate == 0) return "closed loop";
  const std::string due = std::to_string(static_cast<int64_t>(rate)) + "/s due";
  return row.contains("at_percent") ? due + " (" + std::to_string(row["at_percent"].get<int>()) + " %)" : due;
}

void print_counts(const std::string& what, const Json& counts) {
  std::printf("  %-34s wrong %lld  failed %lld  p50 %.2f  p99 %.2f  p99.9 %.2f ms\n", what.c_str(), counts["wrong"].get<long long>(),
              counts["failed"].get<long long>(), counts["p50_ms"].get<double>(), counts["p99_ms"].get<double>(),
              counts["p999_ms"].get<double>());
  if (counts["failed"].get<int64_t>() == 0) return;
  for (const auto& [code, count] : counts["by_code"].items()) std::printf("    %s %lld\n", code.c_str(), count.get<long long>());
}

void print(const Json& row) {
  std::printf("%s, %s: %.0f/s", row["what"].get<std::string>().c_str(), loop_text(row).c_str(), row["answers_per_second"].get<double>());
  if (row.contains("server_cpu_us_per_answer"))
    std::printf(", %.1f us of the server's processors an answer, %.0f/s of a whole one", row["server_cpu_us_per_answer"].get<double>(),
                row["answers_per_second_and_core"].get<double>());
  std::printf("\n");
  print_counts("all", row);
  if (row.contains("kinds"))
    for (const Json& kind : row["kinds"]) print_counts(kind["kind"].get<std::string>(), kind);
  std::fflush(stdout);
}

Json row_of(const ServeRun& run, const LoadPlan& plan, const LoadResult& result) {
  const CallCounts all = result.all();
  Json row{{"what", run.what}, {"rate", run.rate}};
  if (run.at_percent > 0) row["at_percent"] = run.at_percent;
  row["answers_per_second"] = result.per_second();
  row.update(all.as_json());
  if (run.rate > 0) row["sent_late_p99_ms"] = result.lateness.quantile_ms(.99);
  row["server_cpu_seconds"] = result.metered;
  if (all.ok() > 0 && result.metered > 0) {
    row["server_cpu_us_per_answer"] = 1e6 * result.metered / static_cast<double>(all.ok());
    row["answers_per_second_and_core"] = static_cast<double>(all.ok()) / result.metered;
  }
  if (plan.kinds.size() == 1) return row;
  for (size_t k = 0; k < plan.kinds.size(); ++k) {
    Json kind{{"kind", plan.kinds[k].name}, {"share", plan.kinds[k].share}, {"compared", !plan.kinds[k].answers.empty()}};
    kind.update(result.kinds[k].as_json());
    row["kinds"].push_back(kind);
  }
  return row;
}

Plot plot_of(const Json& document) {
  Plot plot{.title = "bouquet bench serve: latency from when a call was due",
            .subtitle = document["machine"].get<std::string>() + "; " + std::to_string(document["items"].get<int>()) + " x " +
                        std::to_string(document["dimension"].get<int>()),
            .x_label = "% of the capacity",
            .y_label = "ms",
            .series = {}};
  for (const auto& [name, member] : {std::pair{"p50", "p50_ms"}, {"p99", "p99_ms"}, {"p99.9", "p999_ms"}}) {
    PlotSeries& series = plot.series.emplace_back(PlotSeries{.name = name, .points = {}, .spreads = false});
    for (const Json& row : document["runs"])
      if (const double ms = row[member]; row.contains("at_percent") && ms > 0)
        series.points.push_back({.x = row["at_percent"], .low = ms, .middle = ms, .high = ms});
  }
  return plot;
}

}  // namespace

absl::StatusOr<ServeReport> ServeReport::begin(const Json& settings, bool json, const std::string& svg) {
  if (!svg.empty() && !std::ofstream(svg, std::ios::app)) return wrong_usage("--svg: cannot write to " + svg);
  ServeReport report;
  report.document_ = {{"benchmark", "serve"}, {"machine", describe_machine()}, {"load_average", load_average()}};
  report.document_.update(settings);
  report.document_["runs"] = Json::array();
  report.json_ = json;
  report.svg_ = svg;
  return report;
}

absl::Status ServeReport::add(const ServeRun& run, const LoadPlan& plan, const LoadResult& result) {
  Json row = row_of(run, plan, result);
  if (!json_) print(row);
  const auto wrong = row["wrong"].get<int64_t>();
  document_["runs"].push_back(std::move(row));
  return wrong == 0 ? absl::OkStatus() : absl::InternalError(std::to_string(wrong) + " answers were wrong");
}

absl::Status ServeReport::finish() const {
  if (json_) std::printf("%s\n", document_.dump(2).c_str());
  if (svg_.empty()) return absl::OkStatus();
  std::ofstream file(svg_, std::ios::trunc);
  file << as_svg(plot_of(document_));
  file.flush();
  return file ? absl::OkStatus() : no_resource("cannot write " + svg_);
}

}  // namespace bouquet::bench
