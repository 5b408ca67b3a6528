// A plot as one SVG file: medians with bars for their spread, on a logarithmic axis.
#pragma once

#include <string>
#include <vector>

namespace bouquet::bench {

struct PlotPoint {
  int x = 0;
  double low = 0, middle = 0, high = 0;  // 0 < low <= middle <= high
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;  // ascending by x
  bool spreads = true;            // false: each point is one value, the middle
};

struct Plot {
  std::string title;
  std::string subtitle;
  std::string x_label;
  std::string y_label;  // with its unit
  std::vector<PlotSeries> series;
};

// Well-formed XML that needs no font, script or style from elsewhere. The places of the x axis are the distinct x, evenly apart; every
// point carries its numbers as a tooltip.
std::string as_svg(const Plot& plot);

}  // namespace bouquet::bench
