// Histories of one person that were merged apart, because nobody knew that it was one.
#pragma once

#include <span>
#include <vector>

#include "engine/event_rules.h"

namespace bouquet {

// Joins `more` into `history`, both ascending by item and merged by the same rules: as if the events of both had been merged at once, but
// for rounding, for what is no longer known (merge_events), and for max_history: nothing is left out here.
void join_history(std::span<const HistoryEntry> more, std::vector<HistoryEntry>& history);

}  // namespace bouquet
