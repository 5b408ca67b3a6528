#include "engine/joined_histories.h"

#include <utility>

#include "engine/pair_sums.h"

namespace bouquet {

void join_history(std::span<const HistoryEntry> more, std::vector<HistoryEntry>& history) {
  std::vector<HistoryEntry> joined;
  joined.reserve(history.size() + more.size());
  auto other = more.begin();
  for (const HistoryEntry& entry : history) {
    while (other != more.end() && other->item < entry.item) joined.push_back(*other++);
    joined.push_back(entry);
    if (other == more.end() || other->item != entry.item) continue;
    PairSums sums(entry);
    sums.add(PairSums(*other++));
    joined.back() = sums.entry(entry.item);
  }
  joined.insert(joined.end(), other, more.end());
  history = std::move(joined);
}

}  // namespace bouquet
