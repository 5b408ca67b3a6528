// Attributes of the customers or of the items of a synthetic shop, and what they say about tastes: the first ones tell of which clusters a
// customer buys or an item is, the others are noise. A pure function of the settings and the seed, row by row.
//
//   tastes(row) = (1 - noise) sum_g w_g taste_g(row) + noise own(row),   sum w_g = 1; every taste is a share of each cluster, together 1
//
// Linear plant: a group g is one attribute, and taste_g is linear in it: a taste per value of a category or flag, a mixture of two by
// a number. Non-linear plant: a group is two attributes, and every pair of their values has a taste of its own, drawn apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/attribute_value.h"

namespace bouquet::training {

struct PlantSettings {
  int32_t attributes = 0;       // of each customer, and of each item; 0: none are planted
  int32_t informative = 6;      // of them, the first ones, that say something of tastes; at most all
  bool linear = true;           // which plant
  double taste_noise = 0.2;     // the share of a taste that attributes do not tell
  double missing_share = 0.05;  // of the values of every attribute
};

// One value as the file has it, and as the taste was made of.
struct PlantedValue {
  AttributeType type = AttributeType::kCategory;  // kCategory, kNumber, kFlag; of what is noise kSet too
  bool missing = false;
  int32_t level = 0;   // of a category or flag; of a number the quarter it lies in; of a set its first element
  int32_t second = 0;  // of a set its second element
  double number = 0;   // in [0, 1), three digits

  std::string text() const;  // empty where it is missing
};

class PlantedSide {
 public:
  PlantedSide(const PlantSettings& settings, int32_t clusters, uint64_t seed);

  int32_t attributes() const { return settings_.attributes; }
  std::string name(int32_t attribute) const;  // category_1, number_2, flag_3, category_4, ..., set_9
  AttributeType type(int32_t attribute) const;
  PlantedValue value(int64_t row, int32_t attribute) const;

  // Shares of the clusters [clusters]: the row's own; what one expects of it who sees its values; and the linear function of the values
  // that comes nearest to that in the mean of squares (the same for the linear plant): no linear model can see more.
  std::vector<double> tastes(int64_t row) const;
  std::vector<double> expected_tastes(int64_t row) const;
  std::vector<double> linear_tastes(int64_t row) const;

 private:
  struct Group {
    int32_t first = 0, second = -1;  // attributes; -1: none
    double weight = 0;
    std::vector<std::vector<double>> taste;  // by level of the first, then of the second; [clusters] each
  };
  void add_group(int32_t first, int32_t second, double weight);
  std::vector<double> mean_taste(const Group& group, int32_t first_level, int32_t second_level) const;
  std::vector<double> taste_of(const Group& group, int64_t row, bool sees_all) const;
  std::vector<double> main_effect(const Group& group, int64_t row, bool of_second) const;
  std::vector<double> own_taste(int64_t row) const;

  PlantSettings settings_;
  int32_t clusters_;
  uint64_t seed_;
  std::vector<Group> groups_;
};

}  // namespace bouquet::training
