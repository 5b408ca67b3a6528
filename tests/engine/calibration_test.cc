#include "engine/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace bouquet {
namespace {

CalibrationMap three_knots() {
  CalibrationMap map;
  map.scores = {0, 1, 3};
  map.probabilities = {0.1, 0.2, 0.6};
  return map;
}

TEST(Calibration, GoesStraightBetweenKnotsAndStaysLevelOutside) {
  const CalibrationMap map = three_knots();
  EXPECT_DOUBLE_EQ(map.probability(-5), 0.1);
  EXPECT_DOUBLE_EQ(map.probability(0), 0.1);
  EXPECT_NEAR(map.probability(0.25f), 0.125, 1e-12);
  EXPECT_NEAR(map.probability(2), 0.4, 1e-12);
  EXPECT_DOUBLE_EQ(map.probability(3), 0.6);
  EXPECT_DOUBLE_EQ(map.probability(50), 0.6);
}

TEST(Calibration, FindsTheMapOfASourceAndKind) {
  Calibration all;
  all.maps = {three_knots(), three_knots()};
  all.maps[1].source = AnswerSource::kRepurchase;
  EXPECT_EQ(all.find(AnswerSource::kRepurchase, ItemKind::kProduct), &all.maps[1]);
  EXPECT_EQ(all.find(AnswerSource::kModel, ItemKind::kAction), nullptr);
  EXPECT_TRUE(validate(all).ok());
  all.maps[1].source = AnswerSource::kModel;
  EXPECT_THAT(std::string(validate(all).message()), testing::HasSubstr("another of its source and kind"));
}

TEST(Calibration, WhatIsStoredIsChecked) {
  const auto complaint = [](void (*spoil)(CalibrationMap&)) {
    Calibration all;
    all.maps = {three_knots()};
    spoil(all.maps[0]);
    return std::string(validate(all).message());
  };
  EXPECT_THAT(complaint([](CalibrationMap& m) { m.scores[1] = 0; }), testing::HasSubstr("scores do not rise"));
  EXPECT_THAT(complaint([](CalibrationMap& m) { m.probabilities[2] = 0.15; }), testing::HasSubstr("probabilities fall"));
  EXPECT_THAT(complaint([](CalibrationMap& m) { m.probabilities[2] = 1; }), testing::HasSubstr("outside 0 to 1"));
  EXPECT_THAT(complaint([](CalibrationMap& m) { m.scores.pop_back(); }), testing::HasSubstr("knots"));
  EXPECT_THAT(complaint([](CalibrationMap& m) { m.taken = 1; }), testing::HasSubstr("taken"));
}

}  // namespace
}  // namespace bouquet
