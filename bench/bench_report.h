// What the benchmarks of a backend say: a table row by row, one JSON document, a plot.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/bench_options.h"
#include "bench/call_times.h"
#include "bench/call_work.h"
#include "bench/svg_plot.h"

namespace bouquet::bench {

// What was measured at one size.
struct Measured {
  int32_t dimension = 0;
  int32_t batch = 0;  // 0: the calls have none
  CallTimes times;
  CallWork work;
  nlohmann::ordered_json more = {};  // of this benchmark alone: into the JSON row, its first member into the table
};

class BenchReport {
 public:
  // Measures the roofline, unless the options leave it out, and prints the table's head. `settings`: what all rows have in common.
  // Errors: those of measure_roofline() but Unimplemented, which leaves the share out; InvalidArgument (--svg cannot be written).
  static absl::StatusOr<BenchReport> begin(const char* benchmark, const BenchOptions& options, Backend& backend,
                                           const nlohmann::ordered_json& settings);

  const std::optional<Roofline>& roofline() const { return roofline_; }  // none: it was left out, or the backend cannot measure it

  // Takes a row; prints it, unless --json was given.
  void add(const Measured& measured);

  // Prints the JSON document and writes the plot, whichever was asked for. Errors: ResourceExhausted (the plot).
  absl::Status finish();

 private:
  BenchReport(const BenchOptions& options, std::optional<Roofline> roofline) : options_(options), roofline_(roofline) {}

  nlohmann::ordered_json row_of(const Measured& measured) const;
  void print_head();
  void print_row(const nlohmann::ordered_json& row, const nlohmann::ordered_json& more);

  BenchOptions options_;
  std::optional<Roofline> roofline_;
  nlohmann::ordered_json document_;
  std::vector<Measured> measured_;
};

// The plot of a run: over the batch where there are several, else over the dimension; a line for each of the others, and for each clock.
Plot plot_of(const std::string& title, const std::string& subtitle, const std::vector<Measured>& measured);

}  // namespace bouquet::bench
