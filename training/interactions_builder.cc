#include "training/interactions_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/errors.h"
#include "training/parallel_ranges.h"

namespace bouquet::training {
namespace {

constexpr double kCapQuantile = 0.999;

// The part and the data set together, with what both passes over the events need.
class PartBuilder {
 public:
  PartBuilder(const Dataset& dataset, std::span<const uint8_t> in_part, bool with_listed)
      : dataset_(dataset), events_(dataset.events), in_part_(in_part), with_listed_(with_listed) {
    set_.rules = dataset.rules;
  }

  absl::StatusOr<TrainingSet> build() {
    fix_rules();
    number_rows();
    if (set_.customers.empty()) return bad_input("no customer has an event in the part to train on");
    if (set_.items.size() < 2)
      return bad_input("the part to train on has " + std::to_string(set_.items.size()) + " of the items; at least two are needed");
    merge_customers();
    return std::move(set_);
  }

 private:
  bool has(int64_t event) const { return in_part_.empty() || in_part_[static_cast<size_t>(event)] != 0; }

  // T and the caps of the values. Caps are of the events that are trained on; T also of those without a customer.
  void fix_rules() {
    int64_t newest = std::numeric_limits<int64_t>::min();
    for (int64_t e = 0; e < events_.size() && events_.has_times(); ++e)
      if (has(e)) newest = std::max(newest, events_.times[static_cast<size_t>(e)]);
    set_.rules.reference_time = newest == std::numeric_limits<int64_t>::min() ? 0 : newest;
    std::vector<int64_t> counts(set_.rules.types.size());
    for (size_t e = 0; e < events_.types.size(); ++e) counts[events_.types[e]] += counts_for_caps(e);
    for (size_t type = 0; type < counts.size(); ++type)
      set_.rules.types[type].value_cap = counts[type] > 0 ? cap_of(type, counts[type]) : 0;
  }

  bool counts_for_caps(size_t e) const { return events_.customers[e] != kNone && has(static_cast<int64_t>(e)); }

  // The smallest |value| that 99.9 % of the type's events do not exceed.
  double cap_of(size_t type, int64_t count) const {
    std::vector<float> sizes;
    sizes.reserve(static_cast<size_t>(count));
    for (size_t e = 0; e < events_.types.size(); ++e)
      if (events_.types[e] == type && counts_for_caps(e)) sizes.push_back(std::fabs(events_.values[e]));
    const auto rank = static_cast<std::ptrdiff_t>(std::ceil(kCapQuantile * static_cast<double>(count))) - 1;
    std::nth_element(sizes.begin(), sizes.begin() + rank, sizes.end());
    return sizes[static_cast<size_t>(rank)];
  }

  void number_rows() {
    local_items_.assign(static_cast<size_t>(dataset_.items.size()), kNone);
    for (int64_t e = 0; e < events_.size(); ++e) {
      if (!has(e)) continue;
      local_items_[static_cast<size_t>(events_.items[static_cast<size_t>(e)])] = 0;
      const CustomerIndex customer = events_.customers[static_cast<size_t>(e)];
      if (customer == kNone || (!set_.customers.empty() && set_.customers.back() == customer)) continue;
      set_.customers.push_back(customer);  // events are ordered by customer
    }
    if (with_listed_)
      for (size_t item = 0; item < dataset_.listed_items.size(); ++item)
        if (dataset_.listed_items[item] != 0) local_items_[item] = 0;
    for (size_t item = 0; item < local_items_.size(); ++item) {
      if (local_items_[item] == kNone) continue;
      local_items_[item] = static_cast<int32_t>(set_.items.size());
      set_.items.push_back(static_cast<ItemIndex>(item));
    }
  }

  // A run of customers that one thread merges. Its pairs stand in the arrays from the place of its first event on, where they fit,
  // since merging never makes more of them.
  struct Share {
    int64_t first_customer = 0, customers = 0;
    int64_t first_event = 0, pairs = 0;
    std::vector<int64_t> zero_targets;  // places of pairs with target 0, within the share
  };

  void merge_customers() {
    const auto first = std::upper_bound(events_.customers.begin(), events_.customers.end(), kNone) - events_.customers.begin();
    const auto count = static_cast<size_t>(events_.size() - first);
    SparseRows& rows = set_.interactions.by_customer;
    rows.column_count = static_cast<int32_t>(set_.items.size());
    rows.offsets.assign(set_.customers.size() + 1, 0);
    rows.columns.resize(count);
    rows.confidences.resize(count);
    set_.consumed.resize(count);
    set_.repurchase.resize(count);
    const int threads = thread_count(0);
    std::vector<Share> shares(static_cast<size_t>(threads));
    parallel_ranges(static_cast<int64_t>(set_.customers.size()), threads,
                    [&](int thread, int64_t begin, int64_t end) { merge_share(begin, end, first, shares[static_cast<size_t>(thread)]); });
    close_gaps(shares);
    for (size_t r = 0; r + 1 < rows.offsets.size(); ++r) rows.offsets[r + 1] += rows.offsets[r];
    set_.interactions = Interactions::from_customers(std::move(rows));
  }

  void merge_share(int64_t begin, int64_t end, int64_t first, Share& share) {
    const auto start_of = [&](CustomerIndex customer) {
      return std::lower_bound(events_.customers.begin(), events_.customers.end(), customer) - events_.customers.begin();
    };
    int64_t at = start_of(set_.customers[static_cast<size_t>(begin)]);
    share = {begin, end - begin, at - first, 0, {}};
    std::vector<Event> events;
    std::vector<HistoryEntry> merged;
    for (int64_t row = begin; row < end; ++row) {
      const CustomerIndex customer = set_.customers[static_cast<size_t>(row)];
      while (events_.customers[static_cast<size_t>(at)] != customer) ++at;
      events.clear();
      for (; at < events_.size() && events_.customers[static_cast<size_t>(at)] == customer; ++at)
        if (has(at)) events.push_back(event_at(static_cast<size_t>(at)));
      merge_events(events, set_.rules, merged);
      set_.interactions.by_customer.offsets[static_cast<size_t>(row) + 1] = static_cast<int64_t>(merged.size());
      for (const HistoryEntry& entry : merged) append(entry, share);
    }
  }

  Event event_at(size_t e) const {
    return {.item = local_items_[static_cast<size_t>(events_.items[e])],
            .time = events_.has_times() ? events_.times[e] : 0,
            .value = events_.values[e],
            .type = events_.types[e]};
  }

  void append(const HistoryEntry& entry, Share& share) {
    const auto at = static_cast<size_t>(share.first_event + share.pairs);
    set_.interactions.by_customer.columns[at] = entry.item;
    set_.interactions.by_customer.confidences[at] = entry.confidence;
    set_.consumed[at] = entry.consumed ? 1 : 0;
    set_.repurchase[at] = entry.repurchase;
    if (entry.target == 0) share.zero_targets.push_back(share.pairs);
    ++share.pairs;
  }

  void close_gaps(const std::vector<Share>& shares) {
    SparseRows& rows = set_.interactions.by_customer;
    int64_t total = 0;
    std::vector<int64_t> zero_targets;
    for (const Share& share : shares) {
      move_down(rows.columns, share, total);
      move_down(rows.confidences, share, total);
      move_down(set_.consumed, share, total);
      move_down(set_.repurchase, share, total);
      for (const int64_t place : share.zero_targets) zero_targets.push_back(total + place);
      total += share.pairs;
    }
    const auto pairs = static_cast<size_t>(total);
    rows.columns.resize(pairs);
    rows.confidences.resize(pairs);
    set_.consumed.resize(pairs);
    set_.repurchase.resize(pairs);
    if (zero_targets.empty()) return;
    rows.targets.assign(pairs, 1.0f);
    for (const int64_t place : zero_targets) rows.targets[static_cast<size_t>(place)] = 0;
  }

  template <typename T>
  static void move_down(std::vector<T>& column, const Share& share, int64_t to) {
    if (share.first_event == to || share.pairs == 0) return;
    const auto from = column.begin() + static_cast<std::ptrdiff_t>(share.first_event);
    std::copy(from, from + static_cast<std::ptrdiff_t>(share.pairs), column.begin() + static_cast<std::ptrdiff_t>(to));
  }

  const Dataset& dataset_;
  const EventLog& events_;
  std::span<const uint8_t> in_part_;
  const bool with_listed_;
  TrainingSet set_;
  std::vector<int32_t> local_items_;
};

}  // namespace

absl::StatusOr<TrainingSet> build_training_set(const Dataset& dataset, std::span<const uint8_t> in_part, bool with_listed) {
  if (!in_part.empty() && in_part.size() != static_cast<size_t>(dataset.events.size()))
    return wrong_usage("the part marks " + std::to_string(in_part.size()) + " events of " + std::to_string(dataset.events.size()));
  return PartBuilder(dataset, in_part, with_listed).build();
}

}  // namespace bouquet::training
