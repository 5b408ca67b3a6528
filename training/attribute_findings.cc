#include "training/attribute_findings.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <map>
#include <numeric>
#include <utility>

#include "engine/views.h"

namespace bouquet::training {
namespace {

constexpr int64_t kMostRows = 20000, kLeastRows = 100;
constexpr double kSuspect = 0.9;

uint64_t mixed(uint64_t x) {
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
  return x ^ x >> 32;
}

// The attribute of each column.
std::vector<uint32_t> owners(const AttributeSchema& schema) {
  std::vector<uint32_t> owner(static_cast<size_t>(schema.column_count()));
  for (size_t a = 0; a < schema.attributes().size(); ++a) {
    const AttributeSchema::Place& p = schema.place(a);
    std::fill_n(owner.begin() + p.dense, p.dense_count, static_cast<uint32_t>(a));
    std::fill_n(owner.begin() + p.sparse, p.sparse_count, static_cast<uint32_t>(a));
  }
  return owner;
}

// Ranks from 0 to 1, equal values sharing their mean rank.
std::vector<double> ranks(std::span<const float> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (size_t j = i; j < end; ++j) rank[order[j]] = static_cast<double>(i + end - 1) / (2.0 * static_cast<double>(order.size()));
    i = end;
  }
  return rank;
}

bool is_constant(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double value) { return value == values[0]; });
}

double squared_correlation(std::span<const double> x, std::span<const double> y) {
  if (is_constant(x)) return 0;  // whose variance is rounding
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n, mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xx > 0 && yy > 0 ? xy * xy / (xx * yy) : 0;
}

// The share of y's variance between the groups, adjusted for how many groups there are.
double share_between(std::span<const int32_t> groups, std::span<const double> y) {
  const auto n = static_cast<double>(y.size());
  const double mean = std::accumulate(y.begin(), y.end(), 0.0) / n;
  std::map<int32_t, std::pair<double, double>> sums;  // count and sum by group
  double total = 0, between = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    auto& [count, sum] = sums[groups[i]];
    ++count;
    sum += y[i] - mean;
    total += (y[i] - mean) * (y[i] - mean);
  }
  for (const auto& [group, entry] : sums) between += entry.second * entry.second / entry.first;
  const double degrees = n - static_cast<double>(sums.size());
  return total > 0 && degrees >= 1 ? 1 - (1 - between / total) * (n - 1) / degrees : 0;
}

// The rows that are looked at, and what an attribute says of them.
class Sample {
 public:
  explicit Sample(const AttributeRows& rows) : rows_(rows) {
    const int64_t step = std::max<int64_t>(1, (rows.rows() + kMostRows - 1) / kMostRows);
    for (int64_t r = 0; r < rows.rows(); r += step) sampled_.push_back(r);
  }
  size_t size() const { return sampled_.size(); }
  std::vector<double> target_ranks(std::span<const float> values) const {
    std::vector<float> chosen;
    for (const int64_t r : sampled_) chosen.push_back(values[static_cast<size_t>(r)]);
    return ranks(chosen);
  }
  std::vector<double> number_ranks(int32_t column) const {
    std::vector<float> chosen;
    for (const int64_t r : sampled_) chosen.push_back(rows_.dense_row(r)[static_cast<size_t>(column)]);
    return ranks(chosen);
  }
  // The first sparse column of the attribute that a row has, or kNone.
  std::vector<int32_t> groups(const AttributeSchema::Place& place) const {
    std::vector<int32_t> found;
    for (const int64_t r : sampled_) {
      const auto columns = rows_.row_columns(r);
      const auto at = std::lower_bound(columns.begin(), columns.end(), place.sparse);
      found.push_back(at != columns.end() && *at <= place.missing() ? *at : kNone);
    }
    return found;
  }

 private:
  const AttributeRows& rows_;
  std::vector<int64_t> sampled_;
};

std::string suspicion(const LeakageTarget& target, double share) {
  char text[160];
  std::snprintf(text, sizeof text, " alone explains %.0f %% of %s; was it made from the events? Ignore it then (ignore = true)",
                100 * share, target.name.c_str());
  return text + 1;
}

}  // namespace

std::vector<AttributeFinding> duplicate_attributes(const AttributeSchema& schema, const AttributeRows& rows) {
  const auto owner = owners(schema);
  const auto attributes = schema.attributes();
  std::vector<uint64_t> digests(attributes.size());
  const auto add = [&](int64_t row, int32_t column, float value) {
    const size_t a = owner[static_cast<size_t>(column)];
    const AttributeSchema::Place& p = schema.place(a);
    const bool dense = column < schema.dense_count();
    const auto within = static_cast<uint64_t>(dense ? column - p.dense : p.dense_count + column - p.sparse);
    const auto bits = uint64_t{std::bit_cast<uint32_t>(value)};
    digests[a] += mixed(mixed(static_cast<uint64_t>(row) << 20 ^ within) ^ bits);
  };
  for (int64_t r = 0; r < rows.rows(); ++r) {
    const auto dense = rows.dense_row(r);
    for (size_t c = 0; c < dense.size(); ++c)
      if (dense[c] != 0) add(r, static_cast<int32_t>(c), dense[c]);
    const auto columns = rows.row_columns(r);
    for (size_t k = 0; k < columns.size(); ++k) add(r, columns[k], rows.row_values(r)[k]);
  }
  std::map<std::pair<AttributeType, uint64_t>, size_t> first;
  std::vector<AttributeFinding> found;
  for (size_t a = 0; a < attributes.size(); ++a) {
    const auto [at, is_new] = first.try_emplace({attributes[a].type(), digests[a]}, a);
    if (is_new) continue;
    found.push_back({AttributeFinding::Kind::kDuplicate, attributes[a].name,
                     "says the same as " + attributes[at->second].name + " in every row; one of the two can go (ignore = true)"});
  }
  return found;
}

std::vector<AttributeFinding> leakage_suspects(const AttributeSchema& schema, const AttributeRows& rows,
                                               std::span<const LeakageTarget> targets) {
  std::vector<AttributeFinding> found;
  const Sample sample(rows);
  if (static_cast<int64_t>(sample.size()) < kLeastRows) return found;
  for (const LeakageTarget& target : targets) {
    const std::vector<double> y = sample.target_ranks(target.values);
    if (is_constant(y)) continue;
    for (size_t a = 0; a < schema.attributes().size(); ++a) {
      const Attribute& attribute = schema.attributes()[a];
      const AttributeSchema::Place& place = schema.place(a);
      double share = 0;
      if (attribute.type() == AttributeType::kNumber)
        share = squared_correlation(sample.number_ranks(place.dense), y);
      else if (attribute.type() == AttributeType::kCategory || attribute.type() == AttributeType::kFlag)
        share = share_between(sample.groups(place), y);
      if (share >= kSuspect) found.push_back({AttributeFinding::Kind::kLeakage, attribute.name, suspicion(target, share)});
    }
  }
  return found;
}

}  // namespace bouquet::training
