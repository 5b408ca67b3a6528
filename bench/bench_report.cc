#include "bench/bench_report.h"

#include <cstdio>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "bench/machine.h"
#include "engine/errors.h"

namespace bouquet::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string number_or_dash(const Json& value, const char* member, int decimals) {
  return value.is_null() || value[member].is_null() ? "-" : absl::StrFormat("%.*f", decimals, value[member].get<double>());
}

std::string as_text(const Json& value) {
  return value.is_number_float() ? absl::StrFormat("%.6g", value.get<double>())
         : value.is_string()     ? value.get<std::string>()
                                 : value.dump();
}

// "items 1000, k 10": the settings on one line.
std::string on_one_line(const Json& settings) {
  std::string line;
  for (const auto& [name, value] : settings.items())
    if (!value.is_null()) line += (line.empty() ? "" : ", ") + name + " " + as_text(value);
  return line;
}

void add_points(std::vector<PlotSeries>& all, const std::string& name, int x, const Spread& spread) {
  if (spread.empty()) return;
  auto series = std::ranges::find(all, name, &PlotSeries::name);
  if (series == all.end()) series = all.insert(all.end(), {name, {}});
  series->points.push_back({x, spread.quantile(0.1) * 1e3, spread.median() * 1e3, spread.quantile(0.9) * 1e3});
}

}  // namespace

absl::StatusOr<BenchReport> BenchReport::begin(const char* benchmark, const BenchOptions& options, Backend& backend, const Json& settings) {
  if (!options.svg.empty() && !std::ofstream(options.svg, std::ios::app)) return wrong_usage("--svg: cannot write to " + options.svg);
  std::optional<Roofline> roofline;
  if (!options.skip_roofline) {
    const auto found = backend.measure_roofline();
    if (!found.ok() && !absl::IsUnimplemented(found.status())) return found.status();
    if (found.ok()) roofline = *found;
  }
  BenchReport report(options, roofline);
  report.document_ = {{"benchmark", benchmark},
                      {"machine", describe_machine()},
                      {"backend", backend.description()},
                      {"dtype", options.dtype},
                      {"seed", options.seed},
                      {"warm_up", options.repeats.warm_up},
                      {"settings", settings},
                      {"roofline", Json()},
                      {"results", Json::array()}};
  if (roofline)
    report.document_["roofline"] = {{"gb_per_second", roofline->bytes_per_second * 1e-9},
                                    {"gflop_per_second", roofline->flops_per_second * 1e-9}};
  if (!options.json) report.print_head();
  return report;
}

Json BenchReport::row_of(const Measured& m) const {
  const double seconds = m.times.best_clock().median();
  Json row = {{"dimension", m.dimension}, {"batch", m.batch > 0 ? Json(m.batch) : Json()}, {"repetitions", m.times.wall.count()}};
  row.update(m.times.wall.as_json());
  row["device"] = m.times.device.empty() ? Json() : m.times.device.as_json();
  row["bytes"] = m.work.bytes;
  row["flops"] = m.work.flops;
  row["gb_per_second"] = m.work.bytes / seconds * 1e-9;
  row["gflop_per_second"] = m.work.flops / seconds * 1e-9;
  row["roofline_share"] = roofline_ ? Json(least_seconds(m.work, *roofline_) / seconds) : Json();
  row.update(m.more);
  return row;
}

void BenchReport::add(const Measured& measured) {
  const Json row = row_of(measured);
  document_["results"].push_back(row);
  measured_.push_back(measured);
  if (!options_.json) print_row(row, measured.more);
}

void BenchReport::print_head() {
  std::printf("%s\n%s\n%s\n", document_["machine"].get<std::string>().c_str(), document_["backend"].get<std::string>().c_str(),
              on_one_line(document_["settings"]).c_str());
  if (roofline_)
    std::printf("roofline, measured: %.1f GB/s, %.1f GFLOP/s\n", roofline_->bytes_per_second * 1e-9, roofline_->flops_per_second * 1e-9);
  std::printf("\n%6s %7s %11s %11s %11s %11s %9s %9s %10s\n", "d", "batch", "median ms", "p10 ms", "p90 ms", "device ms", "GB/s", "GFLOP/s",
              "roofline %");
}

void BenchReport::print_row(const Json& row, const Json& more) {
  const Json share = {{"percent", row["roofline_share"].is_null() ? Json() : Json(row["roofline_share"].get<double>() * 100)}};
  std::printf("%6d %7s %11.4f %11.4f %11.4f %11s %9.1f %9.1f %10s", row["dimension"].get<int>(),
              row["batch"].is_null() ? "-" : row["batch"].dump().c_str(), row["median_ms"].get<double>(), row["p10_ms"].get<double>(),
              row["p90_ms"].get<double>(), number_or_dash(row["device"], "median_ms", 4).c_str(), row["gb_per_second"].get<double>(),
              row["gflop_per_second"].get<double>(), number_or_dash(share, "percent", 1).c_str());
  for (const auto& [name, value] : more.items()) {
    std::string label = name;
    std::ranges::replace(label, '_', ' ');
    std::printf("   %s %s", label.c_str(), as_text(value).c_str());
    break;  // one fits on the line
  }
  std::printf("\n");
  std::fflush(stdout);
}

absl::Status BenchReport::finish() {
  if (options_.json) {
    std::printf("%s\n", document_.dump(2).c_str());
  } else {
    if (!measured_.empty() && measured_.front().times.device.empty()) std::printf("device: none; the host's clock says everything\n");
    std::printf("GB/s and GFLOP/s are of what was asked for (bench/call_work.h)\n");
  }
  if (options_.svg.empty()) return absl::OkStatus();
  const std::string subtitle =
      document_["backend"].get<std::string>() + "; " + document_["machine"].get<std::string>() + "; " + on_one_line(document_["settings"]);
  std::ofstream file(options_.svg, std::ios::trunc);
  file << as_svg(plot_of("bouquet bench " + document_["benchmark"].get<std::string>(), subtitle, measured_));
  file.flush();
  return file ? absl::OkStatus() : no_resource("cannot write " + options_.svg);
}

Plot plot_of(const std::string& title, const std::string& subtitle, const std::vector<Measured>& measured) {
  std::set<int32_t> batches;
  for (const Measured& m : measured) batches.insert(m.batch);
  const bool over_batch = batches.size() > 1;
  Plot plot{.title = title,
            .subtitle = subtitle,
            .x_label = over_batch ? "batch" : "dimension d",
            .y_label = "ms per call: median, p10 to p90",
            .series = {}};
  for (const Measured& m : measured) {
    const std::string other = over_batch    ? "d = " + std::to_string(m.dimension) + ", "
                              : m.batch > 0 ? "batch " + std::to_string(m.batch) + ", "
                                            : "";
    const int x = over_batch ? m.batch : m.dimension;
    add_points(plot.series, other + "wall clock", x, m.times.wall);
    add_points(plot.series, other + "device", x, m.times.device);
  }
  for (PlotSeries& series : plot.series) std::ranges::sort(series.points, {}, &PlotPoint::x);
  return plot;
}

}  // namespace bouquet::bench
