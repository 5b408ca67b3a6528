// What a plot shows, and where. That it is well-formed XML is seen by tests/bench/bench_outputs_test.py, which has a parser.
#include "bench/svg_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "bench/bench_report.h"

namespace bouquet::bench {
namespace {

using testing::HasSubstr;

// The centres of the circles, in order.
std::vector<std::pair<double, double>> centres(const std::string& svg) {
  const std::regex circle("<circle cx='([0-9.]+)' cy='([0-9.]+)'");
  std::vector<std::pair<double, double>> found;
  for (auto i = std::sregex_iterator(svg.begin(), svg.end(), circle); i != std::sregex_iterator(); ++i)
    found.emplace_back(std::stod((*i)[1]), std::stod((*i)[2]));
  return found;
}

TEST(SvgPlot, ShowsEveryPointWithItsNumbersAndTheAxesWithTheirUnits) {
  const std::string svg = as_svg({.title = "speed <&> \"quotes\"",
                                  .subtitle = "a machine",
                                  .x_label = "batch",
                                  .y_label = "ms",
                                  .series = {{"ours", {{1, 0.5, 1, 2}, {16, 3, 10, 20}, {1024, 90, 100, 110}}}}});
  for (const char* text : {"speed &lt;&amp;&gt; &quot;quotes&quot;", "a machine", ">batch<", ">ms<", ">1024<", ">ours<",
                           "ours, 16: median 10, 3 to 20", "ours, 1024: median 100, 90 to 110"})
    EXPECT_THAT(svg, HasSubstr(text));
  // Places evenly apart, and so are factors of ten.
  const auto at = centres(svg);
  ASSERT_EQ(at.size(), 3U);
  EXPECT_NEAR(at[1].first - at[0].first, at[2].first - at[1].first, 0.11);
  EXPECT_NEAR(at[0].second - at[1].second, at[1].second - at[2].second, 0.11);
  EXPECT_GT(at[0].second, at[1].second);  // up is more
}

TEST(SvgPlot, EverythingLiesInsideTheFrame) {
  for (const auto& [low, high] : {std::pair{1.0, 1.0}, {3e-5, 4e-5}, {0.02, 5000.0}}) {
    for (const auto& [x, y] : centres(as_svg({.title = {},
                              .subtitle = {},
                              .x_label = {},
                              .y_label = {},
                              .series = {{"s", {{1, low, low, low}, {2, high, high, high}}}}}))) {
      EXPECT_TRUE(x > 84 && x < 736) << x;
      EXPECT_TRUE(y >= 64 && y <= 400) << y;
    }
  }
  EXPECT_THAT(as_svg({}), HasSubstr("</svg>"));  // nothing was measured
}

Measured measured(int32_t dimension, int32_t batch, bool has_device) {
  return {dimension, batch, {Spread({2e-3, 1e-3, 3e-3}), has_device ? Spread({1e-3}) : Spread()}, {}, {}};
}

TEST(PlotOfARun, GoesOverTheBatchWhereThereAreSeveral) {
  const Plot plot = plot_of("t", "s", {measured(64, 16, true), measured(64, 1, true), measured(128, 1, false)});
  EXPECT_EQ(plot.x_label, "batch");
  ASSERT_EQ(plot.series.size(), 3U);
  EXPECT_EQ(plot.series[0].name, "d = 64, wall clock");
  EXPECT_EQ(plot.series[1].name, "d = 64, device");
  EXPECT_EQ(plot.series[2].name, "d = 128, wall clock");
  ASSERT_EQ(plot.series[0].points.size(), 2U);
  EXPECT_EQ(plot.series[0].points[0].x, 1);
  EXPECT_EQ(plot.series[0].points[0].middle, 2);
}

TEST(PlotOfARun, GoesOverTheDimensionOtherwise) {
  const Plot plot = plot_of("t", "s", {measured(64, 0, false), measured(128, 0, false)});
  EXPECT_EQ(plot.x_label, "dimension d");
  ASSERT_EQ(plot.series.size(), 1U);
  EXPECT_EQ(plot.series[0].name, "wall clock");
  EXPECT_EQ(plot.series[0].points[1].x, 128);
}

TEST(CallTimes, KeepsTheDevicesTimeApartAndLeavesTheWarmUpOut) {
  int calls = 0;
  const auto times = CallTimes::measure([&]() -> absl::StatusOr<CallTime> { return CallTime{++calls * 1.0, calls * 0.5}; }, {2, 3});
  ASSERT_TRUE(times.ok());
  EXPECT_EQ(calls, 5);
  EXPECT_EQ(times->wall.quantile(0), 3);
  EXPECT_EQ(times->wall.median(), 4);
  EXPECT_EQ(times->best_clock().median(), 2);
  EXPECT_EQ(times->device.count(), 3U);
}

}  // namespace
}  // namespace bouquet::bench
