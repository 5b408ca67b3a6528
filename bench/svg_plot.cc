#include "bench/svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include "absl/strings/str_format.h"

namespace bouquet::bench {
namespace {

constexpr double kWidth = 760, kHeight = 460;
constexpr double kLeft = 84, kRight = 24, kTop = 64, kBottom = 60;
constexpr double kLegendLine = 18;
constexpr std::array kColours = {"#1b6ca8", "#c8553d", "#3d8b5f", "#8a5aa3", "#b8860b", "#555555"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

std::string line(double x1, double y1, double x2, double y2, const char* colour, double width) {
  return absl::StrFormat("<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s' stroke-width='%.1f'/>\n", x1, y1, x2, y2, colour,
                         width);
}

std::string text(double x, double y, const char* anchor, int size, std::string_view content, const char* more = "") {
  return absl::StrFormat("<text x='%.1f' y='%.1f' text-anchor='%s' font-size='%d'%s>", x, y, anchor, size, more) + escaped(content) +
         "</text>\n";
}

// 1, 2 and 5 times powers of ten around everything; two ticks at least.
std::vector<double> ticks_around(double low, double high) {
  std::vector<double> ticks;
  for (int power = static_cast<int>(std::floor(std::log10(low))) - 1; ticks.empty() || ticks.back() < high; ++power)
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double tick = digit * std::pow(10.0, power);
      if (tick <= low) ticks.assign(1, tick);  // the last one below
      if (tick > low && (ticks.size() < 2 || ticks.back() < high)) ticks.push_back(tick);
    }
  return ticks;
}

class Axes {
 public:
  explicit Axes(const Plot& plot) {
    double low = std::numeric_limits<double>::infinity(), high = 0;
    std::set<int> places;
    for (const PlotSeries& series : plot.series)
      for (const PlotPoint& p : series.points) {
        low = std::min(low, p.low);
        high = std::max(high, p.high);
        places.insert(p.x);
      }
    places_.assign(places.begin(), places.end());
    if (!places_.empty()) ticks_ = ticks_around(low, high);
  }

  double x(int value) const {
    const auto place = static_cast<double>(std::ranges::lower_bound(places_, value) - places_.begin());
    return kLeft + (place + 0.5) / static_cast<double>(places_.size()) * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    const double share = std::log(value / ticks_.front()) / std::log(ticks_.back() / ticks_.front());
    return kHeight - kBottom - share * (kHeight - kTop - kBottom);
  }

  std::string draw() const {
    std::string out;
    for (const double tick : ticks_) {
      out += line(kLeft, y(tick), kWidth - kRight, y(tick), "#dddddd", 1);
      out += text(kLeft - 8, y(tick) + 4, "end", 12, absl::StrFormat("%g", tick));
    }
    for (const int place : places_) out += text(x(place), kHeight - kBottom + 20, "middle", 12, absl::StrFormat("%d", place));
    return out + line(kLeft, kTop, kLeft, kHeight - kBottom, "#333333", 1) +
           line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, "#333333", 1);
  }

 private:
  std::vector<int> places_;
  std::vector<double> ticks_;
};

// Up to the tooltip.
std::string mark(double x, double y, const char* colour) {
  return absl::StrFormat("<circle cx='%.1f' cy='%.1f' r='3.5' fill='%s'><title>", x, y, colour);
}

std::string draw(const PlotSeries& series, const Axes& axes, const char* colour, double shift) {
  constexpr double kCap = 4;
  std::string out = "<polyline fill='none' stroke='" + std::string(colour) + "' stroke-width='1.5' points='";
  for (const PlotPoint& p : series.points) out += absl::StrFormat("%.1f,%.1f ", axes.x(p.x) + shift, axes.y(p.middle));
  out += "'/>\n";
  for (const PlotPoint& p : series.points) {
    const double x = axes.x(p.x) + shift;
    if (!series.spreads) {
      out += mark(x, axes.y(p.middle), colour) + escaped(series.name) + absl::StrFormat(", %d: %.6g</title></circle>\n", p.x, p.middle);
      continue;
    }
    out += line(x, axes.y(p.low), x, axes.y(p.high), colour, 1.5);
    for (const double end : {p.low, p.high}) out += line(x - kCap, axes.y(end), x + kCap, axes.y(end), colour, 1.5);
    out += mark(x, axes.y(p.middle), colour) + escaped(series.name) +
           absl::StrFormat(", %d: median %.6g, %.6g to %.6g</title></circle>\n", p.x, p.middle, p.low, p.high);
  }
  return out;
}

}  // namespace

std::string as_svg(const Plot& plot) {
  constexpr double kBesideEachOther = 7;  // the bars of several series at one place
  const double height = kHeight + kLegendLine * static_cast<double>(plot.series.size());
  std::string out =
      absl::StrFormat("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %g %g' width='%g' height='%g' font-family='sans-serif'>\n",
                      kWidth, height, kWidth, height);
  out += absl::StrFormat("<rect width='%g' height='%g' fill='white'/>\n", kWidth, height);
  out += text(kLeft, 26, "start", 16, plot.title) + text(kLeft, 46, "start", 11, plot.subtitle);
  const Axes axes(plot);
  out += axes.draw();
  out += text((kLeft + kWidth - kRight) / 2, kHeight - kBottom + 42, "middle", 13, plot.x_label);
  out += text(-(kTop + kHeight - kBottom) / 2, 22, "middle", 13, plot.y_label, " transform='rotate(-90)'");
  for (size_t s = 0; s < plot.series.size(); ++s) {
    const char* colour = kColours[s % kColours.size()];
    const double shift = (static_cast<double>(s) - static_cast<double>(plot.series.size() - 1) / 2) * kBesideEachOther;
    const double y = kHeight + kLegendLine * static_cast<double>(s);
    out += draw(plot.series[s], axes, colour, shift);
    out += absl::StrFormat("<rect x='%g' y='%g' width='12' height='4' fill='%s'/>\n", kLeft, y - 6, colour);
    out += text(kLeft + 20, y, "start", 12, plot.series[s].name);
  }
  return out + "</svg>\n";
}

}  // namespace bouquet::bench
