#include "training/event_log_builder.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <numeric>

#include "absl/container/flat_hash_map.h"
#include "engine/errors.h"
#include "training/parallel_ranges.h"

namespace bouquet::training {
namespace {

constexpr size_t kPrefetchRows = 8;
constexpr size_t kMaxEvents = std::numeric_limits<uint32_t>::max() - 1;
constexpr double kRobotFactor = 100;
constexpr size_t kNamedRobots = 20;

// Gathers a column in the order of `order` and frees it.
template <typename T>
void gather(MappedColumn<T>& column, const std::vector<uint32_t>& order, int threads, std::vector<T>& out) {
  if (column.empty()) return;
  out.resize(order.size());
  parallel_ranges(static_cast<int64_t>(order.size()), threads, [&](int, int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) out[i] = column[order[i]];
  });
  column.clear();
}

// Numbers by value, other texts by bytes; numbers first.
bool id_before(std::string_view a, std::string_view b) {
  const auto is_number = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  const bool number = is_number(a);
  if (number != is_number(b)) return number;
  if (number && a.size() != b.size()) return a.size() < b.size();
  return a < b;
}

void find_robots(const std::vector<int64_t>& starts, const IdMap& customers, ReadReport& report) {
  std::vector<std::pair<int64_t, int32_t>> counts;
  for (int32_t c = 0; c < customers.size(); ++c)
    counts.emplace_back(starts[static_cast<size_t>(c) + 2] - starts[static_cast<size_t>(c) + 1], c);
  if (counts.empty()) return;
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
  std::nth_element(counts.begin(), middle, counts.end());
  const double bound = kRobotFactor * static_cast<double>(middle->first);
  const auto robots = std::partition(counts.begin(), counts.end(), [&](const auto& c) { return static_cast<double>(c.first) > bound; });
  report.suspected_robot_count = robots - counts.begin();
  std::sort(counts.begin(), robots,
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  for (auto robot = counts.begin(); robot != robots && report.suspected_robots.size() < kNamedRobots; ++robot)
    report.suspected_robots.emplace_back(customers.id(robot->second));
}

}  // namespace

void EventLogBuilder::resolve(const TextIds& texts, IdMap& ids, std::vector<int32_t>& out) {
  const size_t count = texts.ids.size();
  out.resize(count);
  const auto ahead = [&](size_t i, size_t rows) { return texts.hashes[std::min(i + rows, count - 1)]; };
  for (size_t i = 0; i < count; ++i) {
    ids.prefetch_slot(ahead(i, 3 * kPrefetchRows));
    ids.prefetch_offset(ahead(i, 2 * kPrefetchRows));
    ids.prefetch_bytes(ahead(i, kPrefetchRows));
    const std::string_view id = texts.ids[i];
    if (id.empty())
      out[i] = kNone;
    else if (i > 0 && texts.hashes[i] == texts.hashes[i - 1] && id == texts.ids[i - 1])
      out[i] = out[i - 1];  // one basket, row after row
    else
      out[i] = ids.add(id, texts.hashes[i]);
  }
}

bool EventLogBuilder::is_repeated(const EventBatch& batch, size_t row) {
  return distinct_ && !seen_.insert(batch.fingerprints[row]).second;
}

absl::Status EventLogBuilder::add(const EventBatch& batch, const EventRules& rules, ReadReport& report) {
  if (customers_.size() + batch.size() > kMaxEvents) return no_resource("more than 4,294,967,294 events; train on fewer files");
  std::vector<uint8_t> repeated;
  if (distinct_) {
    for (size_t i = 0; i < batch.size(); ++i) repeated.push_back(is_repeated(batch, i));
  }
  resolve(batch.customers, customer_ids_, customer_scratch_);
  resolve(batch.items, item_ids_, item_scratch_);
  const size_t before = customers_.size();
  // Columns that this file has and an earlier one had not.
  while (!batch.baskets.empty() && baskets_.size() < before) baskets_.push_back(0);
  while (!batch.event_ids.empty() && event_ids_.size() < before) event_ids_.push_back(0);
  for (size_t i = 0; i < batch.size(); ++i) {
    if (distinct_ && repeated[i] != 0) {
      ++report.repeated;
      continue;
    }
    report.anonymous += customer_scratch_[i] == kNone;
    report.returns += batch.values[i] < 0 || rules.types[batch.types[i]].returns;
    customers_.push_back(customer_scratch_[i]);
    items_.push_back(item_scratch_[i]);
    values_.push_back(batch.values[i]);
    types_.push_back(batch.types[i]);
    if (!batch.times.empty()) times_.push_back(batch.times[i]);
    if (!batch.baskets.empty()) baskets_.push_back(batch.baskets[i]);
    if (!batch.event_ids.empty()) event_ids_.push_back(event_id_texts_.add(batch.event_ids[i]));
  }
  return absl::OkStatus();
}

bool EventLogBuilder::earlier_id(uint32_t a, uint32_t b) const {
  if (event_ids_.empty() || event_ids_[a] == event_ids_[b]) return a < b;
  const std::string_view x = event_id_texts_.at(event_ids_[a]), y = event_id_texts_.at(event_ids_[b]);
  return x == y ? a < b : id_before(x, y);
}

void EventLogBuilder::sort_group(std::span<uint32_t> order, std::span<int64_t> times) const {
  if (event_ids_.empty() && std::is_sorted(times.begin(), times.end())) return;  // files are mostly in time order
  if (times.empty()) {
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return earlier_id(a, b); });
    return;
  }
  thread_local std::vector<std::pair<int64_t, uint32_t>> sorted;
  sorted.clear();
  for (size_t i = 0; i < order.size(); ++i) sorted.emplace_back(times[i], order[i]);
  std::sort(sorted.begin(), sorted.end(),
            [&](const auto& a, const auto& b) { return a.first != b.first ? a.first < b.first : earlier_id(a.second, b.second); });
  for (size_t i = 0; i < order.size(); ++i) std::tie(times[i], order[i]) = sorted[i];
}

// Calls work(thread, group, begin, end) with the places of each group's events; groups of one thread in order, threads in order too.
template <typename Work>
void EventLogBuilder::for_each_group(const Work& work) const {
  const auto first_at = [&](int64_t event) { return std::lower_bound(starts_.begin(), starts_.end() - 1, event) - starts_.begin(); };
  parallel_ranges(starts_.back(), threads_, [&](int thread, int64_t begin, int64_t end) {
    const auto last = static_cast<size_t>(end == starts_.back() ? static_cast<int64_t>(starts_.size()) - 1 : first_at(end));
    for (auto group = static_cast<size_t>(first_at(begin)); group < last; ++group)
      if (starts_[group] < starts_[group + 1])
        work(thread, group, static_cast<size_t>(starts_[group]), static_cast<size_t>(starts_[group + 1]));
  });
}

std::vector<uint32_t> EventLogBuilder::sort_events(std::vector<int64_t>& times) {
  const size_t count = customers_.size();
  starts_.assign(static_cast<size_t>(customer_ids_.size()) + 2, 0);
  for (size_t e = 0; e < count; ++e) ++starts_[static_cast<size_t>(customers_[e] + 2)];
  std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
  std::vector<uint32_t> order(count);
  if (!times_.empty()) times.resize(count);
  for (size_t e = 0; e < count; ++e) {  // counting sort: starts_[group] walks to the start of the next group
    const auto at = static_cast<size_t>(starts_[static_cast<size_t>(customers_[e] + 1)]++);
    order[at] = static_cast<uint32_t>(e);
    if (!times_.empty()) times[at] = times_[e];
  }
  std::copy_backward(starts_.begin(), starts_.end() - 1, starts_.end());
  starts_[0] = 0;
  times_.clear();
  for_each_group([&](int, size_t, size_t begin, size_t end) {
    const std::span<int64_t> group_times = times.empty() ? std::span<int64_t>() : std::span(times).subspan(begin, end - begin);
    sort_group(std::span(order).subspan(begin, end - begin), group_times);
  });
  return order;
}

void EventLogBuilder::fill_customers(std::vector<CustomerIndex>& customers) const {
  customers.resize(static_cast<size_t>(starts_.back()));
  for_each_group([&](int, size_t group, size_t begin, size_t end) {
    std::fill(customers.begin() + static_cast<std::ptrdiff_t>(begin), customers.begin() + static_cast<std::ptrdiff_t>(end),
              static_cast<CustomerIndex>(group) - 1);
  });
}

// A basket is one customer's: the same basket id with another customer is another basket.
int32_t EventLogBuilder::number_baskets(const std::vector<uint32_t>& order, std::vector<int32_t>& numbers) const {
  numbers.resize(order.size());
  std::vector<int32_t> counts(static_cast<size_t>(threads_), 0);
  std::vector<std::pair<size_t, size_t>> ranges(static_cast<size_t>(threads_), {order.size(), 0});
  for_each_group([&](int thread, size_t, size_t begin, size_t end) {
    auto& range = ranges[static_cast<size_t>(thread)];
    range = {std::min(range.first, begin), end};
    thread_local absl::flat_hash_map<uint64_t, int32_t> known;
    known.clear();
    uint64_t last = 0;
    int32_t last_number = kNone;
    for (size_t i = begin; i < end; ++i) {
      const uint64_t basket = baskets_[order[i]];
      if (basket != last) {
        last = basket;
        const auto [at, is_new] =
            basket == 0 ? std::pair{known.end(), false} : known.try_emplace(basket, counts[static_cast<size_t>(thread)]);
        counts[static_cast<size_t>(thread)] += is_new;
        last_number = basket == 0 ? kNone : at->second;
      }
      numbers[i] = last_number;
    }
  });
  int32_t total = 0;
  for (size_t thread = 0; thread < counts.size(); ++thread) {
    for (size_t i = ranges[thread].first; total > 0 && i < ranges[thread].second; ++i)
      if (numbers[i] != kNone) numbers[i] += total;
    total += counts[thread];
  }
  return total;
}

void EventLogBuilder::finish(Dataset& dataset) {
  while (!baskets_.empty() && baskets_.size() < customers_.size()) baskets_.push_back(0);
  while (!event_ids_.empty() && event_ids_.size() < customers_.size()) event_ids_.push_back(0);
  seen_ = {};
  const std::vector<uint32_t> order = sort_events(dataset.events.times);
  customers_.clear();
  event_ids_.clear();
  event_id_texts_ = {};
  if (!baskets_.empty()) dataset.basket_count = number_baskets(order, dataset.events.baskets);
  baskets_.clear();
  gather(items_, order, threads_, dataset.events.items);
  gather(values_, order, threads_, dataset.events.values);
  gather(types_, order, threads_, dataset.events.types);
  fill_customers(dataset.events.customers);
  find_robots(starts_, customer_ids_, dataset.report);
  dataset.customers = std::move(customer_ids_);
  dataset.items = std::move(item_ids_);
  dataset.report.events = dataset.events.size();
}

}  // namespace bouquet::training
