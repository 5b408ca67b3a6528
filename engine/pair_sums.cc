#include "engine/pair_sums.h"

#include <algorithm>
#include <cmath>

namespace bouquet {
namespace {

constexpr double kMicrosecondsPerDay = 86400e6;

double decay(int64_t time, int64_t reference_time, double half_life_days) {
  if (half_life_days <= 0) return 1;
  const double age_days = std::max<double>(0, static_cast<double>(reference_time - time)) / kMicrosecondsPerDay;
  return std::exp2(-age_days / half_life_days);
}

double transformed(const EventType& type, double value) {
  double size = std::fabs(value);
  if (type.value_cap > 0) size = std::min(size, type.value_cap);
  switch (type.transform) {
    case ValueTransform::kConstant: return 1;
    case ValueTransform::kIdentity: return size;
    case ValueTransform::kLog1p: return std::log2(1 + size);
  }
  return 1;
}

}  // namespace

PairSums::PairSums(const HistoryEntry& known)
    : given(known.given),
      returned(known.given > 0 ? 0 : known.confidence),
      net(known.net),
      repurchase(known.repurchase),
      count(known.count),
      consuming(known.consumed),
      returning(known.target == 0),
      newest(known.newest) {}

void PairSums::add(const Event& event, const EventRules& rules) {
  const EventType& type = rules.types[event.type];
  newest = std::max(newest, event.time);
  const double weight = type.weight * transformed(type, event.value) * decay(event.time, rules.reference_time, type.half_life_days);
  if (type.returns || event.value < 0) {
    returned += weight;
    returning = true;
    net -= std::fabs(event.value);
    return;
  }
  given += weight;
  if (!type.consumes) return;
  consuming = true;
  net += event.value;
  ++count;
  repurchase += decay(event.time, rules.reference_time, rules.repurchase_half_life_days);
}

void PairSums::add(const PairSums& other) {
  given += other.given;
  returned += other.returned;
  net += other.net;
  repurchase += other.repurchase;
  count += other.count;
  consuming = consuming || other.consuming;
  returning = returning || other.returning;
  newest = std::max(newest, other.newest);
}

HistoryEntry PairSums::entry(ItemIndex item) const {
  const bool taken_back = returning && net <= 0;
  HistoryEntry e;
  e.item = item;
  e.confidence = static_cast<float>(given > 0 ? given : returned);
  // Far past its half-life a weight may round to nothing; a pair still needs a positive one.
  e.confidence = std::max(e.confidence, 1e-30f);
  e.target = taken_back ? 0.0f : 1.0f;
  e.consumed = consuming && !taken_back;
  e.repurchase = e.consumed ? static_cast<float>(repurchase) : 0;
  e.count = e.consumed ? count : 0;
  e.given = given > 0 ? e.confidence : 0;
  e.net = static_cast<float>(net);
  e.newest = newest;
  return e;
}

}  // namespace bouquet
