#include "training/calibration.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "engine/counter_random.h"

namespace bouquet::training {
namespace {

constexpr size_t kMostKnots = 50;
constexpr double kLeastProbability = 1e-6;

bool is_fitted_on(const OfferedRow& row, uint64_t seed) { return (random_bits(seed, static_cast<uint64_t>(row.customer)) >> 63) != 0; }

std::vector<OfferedRow> half(const std::vector<OfferedRow>& rows, uint64_t seed, bool fitted) {
  std::vector<OfferedRow> out;
  for (const OfferedRow& row : rows)
    if (is_fitted_on(row, seed) == fitted) out.push_back(row);
  return out;
}

int64_t taken_of(const std::vector<OfferedRow>& rows) {
  return std::count_if(rows.begin(), rows.end(), [](const OfferedRow& row) { return row.taken; });
}

// Neighbouring scores that share a probability.
struct Block {
  double rows = 0, taken = 0, score_sum = 0;

  double share() const { return taken / rows; }
  void add(const Block& other) {
    rows += other.rows;
    taken += other.taken;
    score_sum += other.score_sum;
  }
};

// Rows by rising score in blocks of about the same size; equal scores stand together.
std::vector<Block> equal_blocks(std::vector<OfferedRow>& rows, size_t count) {
  std::sort(rows.begin(), rows.end(), [](const OfferedRow& a, const OfferedRow& b) { return a.score < b.score; });
  const size_t least = (rows.size() + count - 1) / count;
  std::vector<Block> blocks;
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool same_score = i > 0 && rows[i].score == rows[i - 1].score;
    if (blocks.empty() || (blocks.back().rows >= static_cast<double>(least) && !same_score)) blocks.emplace_back();
    blocks.back().add({1, rows[i].taken ? 1.0 : 0.0, double{rows[i].score}});
  }
  return blocks;
}

// Pool adjacent violators (Ayer et al. 1955): the monotone shares closest to the blocks'.
std::vector<Block> isotonic(const std::vector<Block>& blocks) {
  std::vector<Block> out;
  for (const Block& block : blocks) {
    out.push_back(block);
    while (out.size() > 1 && out[out.size() - 2].share() >= out.back().share()) {
      out[out.size() - 2].add(out.back());
      out.pop_back();
    }
  }
  return out;
}

double log_loss(double p, bool taken) { return -std::log(taken ? p : 1 - p); }
double logit(double p) { return std::log(p / (1 - p)); }

// The slope b of P(taken) = 1 / (1 + exp(-(a + b x))) by Newton's method.
double logistic_slope(const std::vector<double>& x, const std::vector<OfferedRow>& rows) {
  double a = 0, b = 1;
  for (int step = 0; step < 50; ++step) {
    double ga = 0, gb = 0, haa = 0, hab = 0, hbb = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double p = 1 / (1 + std::exp(-(a + b * x[i])));
      const double error = (rows[i].taken ? 1.0 : 0.0) - p, weight = p * (1 - p);
      ga += error;
      gb += error * x[i];
      haa += weight;
      hab += weight * x[i];
      hbb += weight * x[i] * x[i];
    }
    const double determinant = haa * hbb - hab * hab;
    if (!(determinant > 1e-12 * haa * hbb)) return 0;  // one probability for all: nothing to see
    const double da = (hbb * ga - hab * gb) / determinant, db = (haa * gb - hab * ga) / determinant;
    a += da;
    b += db;
    if (std::abs(da) + std::abs(db) < 1e-10) break;
  }
  return std::isfinite(b) ? b : 0;
}

void judge_map(CalibrationMap& map, double base, const std::vector<OfferedRow>& rows, const BootstrapOptions& bootstrap) {
  struct Sums {
    double rows = 0, gain = 0;
  };
  std::map<int32_t, Sums> of_customer;
  std::vector<double> x;
  for (const OfferedRow& row : rows) {
    const double p = map.probability(row.score), loss = log_loss(p, row.taken), base_loss = log_loss(base, row.taken);
    map.log_loss += loss;
    map.base_log_loss += base_loss;
    Sums& sums = of_customer[row.customer];
    sums.rows += 1;
    sums.gain += base_loss - loss;
    x.push_back(logit(p));
  }
  const auto n = static_cast<double>(rows.size());
  map.rows = static_cast<int64_t>(rows.size());
  map.taken = taken_of(rows);
  map.log_loss /= n;
  map.base_log_loss /= n;
  map.slope = logistic_slope(x, rows);
  // Per row: customers with more rows weigh more, as in the means above.
  std::vector<float> gains;
  const double rows_each = n / static_cast<double>(of_customer.size());
  for (const auto& [customer, sums] : of_customer) gains.push_back(static_cast<float>(sums.gain / rows_each));
  const std::span<const float> column(gains);
  const Interval skill = bootstrap_means({&column, 1}, bootstrap)[0];
  map.skill_low = skill.low;
  map.skill_high = skill.high;
}

}  // namespace

CalibrationMap fit_calibration(const std::vector<OfferedRow>& rows, const BootstrapOptions& bootstrap) {
  CalibrationMap map;
  std::vector<OfferedRow> fitted = half(rows, bootstrap.seed, true), judged = half(rows, bootstrap.seed, false);
  const auto usable = [](const std::vector<OfferedRow>& part) {
    const int64_t taken = taken_of(part);
    return taken >= kLeastTaken && taken < static_cast<int64_t>(part.size());
  };
  if (!usable(fitted) || !usable(judged)) return map;
  const double base = static_cast<double>(taken_of(fitted)) / static_cast<double>(fitted.size());
  for (const Block& block : isotonic(equal_blocks(fitted, kMostKnots))) {
    // One more row at the base rate, so that no share is 0 or 1.
    const double share = std::clamp((block.taken + base) / (block.rows + 1), kLeastProbability, 1 - kLeastProbability);
    const double score = block.score_sum / block.rows;
    if (!map.scores.empty() && !(score > map.scores.back())) continue;
    map.scores.push_back(score);
    map.probabilities.push_back(map.probabilities.empty() ? share : std::max(share, map.probabilities.back()));
  }
  judge_map(map, base, judged, bootstrap);
  return map;
}

std::vector<ReliabilityBin> reliability(const CalibrationMap& map, const std::vector<OfferedRow>& rows, uint64_t seed, int32_t count) {
  std::vector<OfferedRow> judged = half(rows, seed, false);
  for (OfferedRow& row : judged) row.score = static_cast<float>(map.probability(row.score));
  std::vector<ReliabilityBin> bins;
  for (const Block& block : equal_blocks(judged, static_cast<size_t>(count)))
    bins.push_back({static_cast<int64_t>(block.rows), block.score_sum / block.rows, block.share()});
  return bins;
}

}  // namespace bouquet::training
