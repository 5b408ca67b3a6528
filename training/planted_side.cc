#include "training/planted_side.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/random_stream.h"

namespace bouquet::training {
namespace {

enum Stream : uint64_t { kValues = 11, kGroups = 12, kOwn = 13 };
constexpr int32_t kAllLevels = -1;
constexpr int32_t kCategoryLevels = 6, kNumberLevels = 4, kSetElements = 12;
constexpr double kDearest = 0.75;  // a taste is for two clusters, with this share and the rest
constexpr double kFading = 0.8;    // how much less each group says than the one before

int32_t levels_of(AttributeType type) {
  return type == AttributeType::kCategory ? kCategoryLevels : type == AttributeType::kNumber ? kNumberLevels : 2;
}

std::vector<double> drawn_taste(RandomStream& random, int32_t clusters) {
  std::vector<double> taste(static_cast<size_t>(clusters), 0);
  taste[static_cast<size_t>(random.below(clusters))] += kDearest;
  taste[static_cast<size_t>(random.below(clusters))] += 1 - kDearest;
  return taste;
}

void add(std::vector<double>& sum, double weight, const std::vector<double>& taste) {
  for (size_t k = 0; k < sum.size(); ++k) sum[k] += weight * taste[k];
}

}  // namespace

std::string PlantedValue::text() const {
  if (missing) return {};
  switch (type) {
    case AttributeType::kNumber: {
      const std::string digits = std::to_string(std::lround(number * 1000));
      return "0." + std::string(3 - digits.size(), '0') + digits;
    }
    case AttributeType::kFlag: return level == 1 ? "true" : "false";
    case AttributeType::kSet: return "e" + std::to_string(level) + "|e" + std::to_string(second);
    default: return "v" + std::to_string(level);
  }
}

PlantedSide::PlantedSide(const PlantSettings& settings, int32_t clusters, uint64_t seed)
    : settings_(settings), clusters_(clusters), seed_(seed) {
  settings_.informative = std::min(settings.informative, settings.attributes);
  double weight = 1, sum = 0;
  for (int32_t a = 0; a < settings_.informative; weight *= kFading) {
    const int32_t second = settings_.linear || a + 1 == settings_.informative ? -1 : a + 1;
    add_group(a, second, weight);
    sum += weight;
    a += second < 0 ? 1 : 2;
  }
  for (Group& group : groups_) group.weight /= sum;
}

void PlantedSide::add_group(int32_t first, int32_t second, double weight) {
  RandomStream random(random_bits(seed_, kGroups), static_cast<uint64_t>(first));
  Group group{.first = first, .second = second, .weight = weight, .taste = {}};
  // A number of the linear plant mixes two tastes.
  const bool mixes = second < 0 && type(first) == AttributeType::kNumber;
  const int32_t count = mixes ? 2 : levels_of(type(first)) * (second < 0 ? 1 : levels_of(type(second)));
  for (int32_t l = 0; l < count; ++l) group.taste.push_back(drawn_taste(random, clusters_));
  groups_.push_back(std::move(group));
}

AttributeType PlantedSide::type(int32_t attribute) const {
  constexpr std::array kTypes = {AttributeType::kCategory, AttributeType::kNumber, AttributeType::kFlag, AttributeType::kSet};
  return kTypes[static_cast<size_t>(attribute) % (attribute < settings_.informative ? 3 : 4)];
}

std::string PlantedSide::name(int32_t attribute) const {
  return std::string(attribute_type_name(type(attribute))) + "_" + std::to_string(attribute + 1);
}

PlantedValue PlantedSide::value(int64_t row, int32_t attribute) const {
  // Whatever the number of attributes: more of them leave those before as they are.
  RandomStream random(random_bits(random_bits(seed_, kValues), static_cast<uint64_t>(row)), static_cast<uint64_t>(attribute));
  PlantedValue value{.type = type(attribute)};
  value.missing = random.chance(settings_.missing_share);
  if (value.type == AttributeType::kNumber) {
    value.number = std::floor(random.unit() * 1000) / 1000;
    value.level = static_cast<int32_t>(value.number * kNumberLevels);
  } else if (value.type == AttributeType::kSet) {
    value.level = static_cast<int32_t>(random.below(kSetElements));
    value.second = static_cast<int32_t>((value.level + 1 + random.below(kSetElements - 1)) % kSetElements);
  } else {
    value.level = static_cast<int32_t>(random.below(levels_of(value.type)));
  }
  return value;
}

// Over the levels where kAllLevels is asked for: each is as likely.
std::vector<double> PlantedSide::mean_taste(const Group& group, int32_t first_level, int32_t second_level) const {
  const auto width = static_cast<int32_t>(group.second < 0 ? 1 : levels_of(type(group.second)));
  std::vector<double> mean(static_cast<size_t>(clusters_), 0);
  int32_t count = 0;
  for (int32_t t = 0; t < static_cast<int32_t>(group.taste.size()); ++t) {
    if (first_level != kAllLevels && t / width != first_level) continue;
    if (group.second >= 0 && second_level != kAllLevels && t % width != second_level) continue;
    add(mean, 1, group.taste[static_cast<size_t>(t)]);
    ++count;
  }
  for (double& share : mean) share /= count;
  return mean;
}

// `sees_all`: with the values that are missing in the file, too.
std::vector<double> PlantedSide::taste_of(const Group& group, int64_t row, bool sees_all) const {
  const PlantedValue first = value(row, group.first);
  const bool knows_first = sees_all || !first.missing;
  if (group.second < 0 && first.type == AttributeType::kNumber) {
    std::vector<double> mixed(static_cast<size_t>(clusters_), 0);
    const double share = knows_first ? first.number : 0.5;
    add(mixed, 1 - share, group.taste[0]);
    add(mixed, share, group.taste[1]);
    return mixed;
  }
  const PlantedValue second = group.second < 0 ? PlantedValue{} : value(row, group.second);
  return mean_taste(group, knows_first ? first.level : kAllLevels, sees_all || !second.missing ? second.level : kAllLevels);
}

std::vector<double> PlantedSide::own_taste(int64_t row) const {
  RandomStream random(random_bits(seed_, kOwn), static_cast<uint64_t>(row));
  return drawn_taste(random, clusters_);
}

std::vector<double> PlantedSide::tastes(int64_t row) const {
  std::vector<double> sum(static_cast<size_t>(clusters_), 0);
  for (const Group& group : groups_) add(sum, (1 - settings_.taste_noise) * group.weight, taste_of(group, row, true));
  add(sum, groups_.empty() ? 1 : settings_.taste_noise, own_taste(row));
  return sum;
}

std::vector<double> PlantedSide::expected_tastes(int64_t row) const {
  const double unknown = groups_.empty() ? 1 : settings_.taste_noise;
  std::vector<double> sum(static_cast<size_t>(clusters_), unknown / clusters_);
  for (const Group& group : groups_) add(sum, (1 - settings_.taste_noise) * group.weight, taste_of(group, row, false));
  return sum;
}

// How much one value of a pair says without the other: the difference from the mean of its level, of a number the straight line.
std::vector<double> PlantedSide::main_effect(const Group& group, int64_t row, bool of_second) const {
  const PlantedValue seen = value(row, of_second ? group.second : group.first);
  std::vector<double> effect(static_cast<size_t>(clusters_), 0);
  if (seen.missing) return effect;
  const auto of_level = [&](int32_t level) { return mean_taste(group, of_second ? kAllLevels : level, of_second ? level : kAllLevels); };
  const std::vector<double> mean = mean_taste(group, kAllLevels, kAllLevels);
  if (seen.type != AttributeType::kNumber) {
    effect = of_level(seen.level);
    add(effect, -1, mean);
    return effect;
  }
  // slope = cov(t, taste) / var(t) for t uniform in [0, 1): 12 sum over levels of the level's mean times the integral of t - 1/2.
  for (int32_t level = 0; level < kNumberLevels; ++level) {
    const double from = static_cast<double>(level) / kNumberLevels - 0.5, to = from + 1.0 / kNumberLevels;
    add(effect, 12 * (to * to - from * from) / 2 * (seen.number - 0.5), of_level(level));
  }
  return effect;
}

std::vector<double> PlantedSide::linear_tastes(int64_t row) const {
  const double unknown = groups_.empty() ? 1 : settings_.taste_noise;
  std::vector<double> sum(static_cast<size_t>(clusters_), unknown / clusters_);
  for (const Group& group : groups_) {
    const double weight = (1 - settings_.taste_noise) * group.weight;
    if (group.second < 0) {
      add(sum, weight, taste_of(group, row, false));
      continue;
    }
    add(sum, weight, mean_taste(group, kAllLevels, kAllLevels));
    add(sum, weight, main_effect(group, row, false));
    add(sum, weight, main_effect(group, row, true));
  }
  return sum;
}

}  // namespace bouquet::training
