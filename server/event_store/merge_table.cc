#include "server/event_store/merge_table.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "engine/errors.h"
#include "server/event_store/customer_numbers.h"
#include "server/event_store/merge_records.h"

namespace bouquet::server {
namespace {

std::string quoted_id(std::string_view id) { return "'" + std::string(id) + "'"; }

}  // namespace

absl::Status MergeTable::load(const StoreDatabase& database) {
  absl::Status failed;
  CustomersByNumber customers(database);
  absl::Status read = scan_merges(database, [&](const MergeRecord& record) {
    if (record.undone != 0) return true;
    const auto from = customers.id(record.from);
    const auto into = id_of_customer(database, record.into);
    if (from.ok() && into.ok()) {
      add(*from, {.into = *into, .sequence = record.sequence, .time = record.time});
      return true;
    }
    failed = from.ok() ? into.status() : from.status();
    if (absl::IsNotFound(failed)) failed = bad_input("the store: a merge is of customers who are not there");
    return false;
  });
  return failed.ok() ? read : failed;
}

std::optional<Merge> MergeTable::find(std::string_view from) const {
  if (empty()) return std::nullopt;
  const std::shared_lock lock(mutex_);
  const auto at = merges_.find(from);
  return at == merges_.end() ? std::nullopt : std::optional(at->second);
}

// Whoever added has checked that there is no circle; the bound is for a damaged store.
std::string_view MergeTable::root_locked(std::string_view id) const {
  for (size_t step = 0; step < kMaxPersonIds; ++step) {
    const auto at = merges_.find(id);
    if (at == merges_.end()) break;
    id = at->second.into;
  }
  return id;
}

std::string MergeTable::root_of(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  return std::string(root_locked(id));
}

std::vector<std::string> MergeTable::person_locked(std::string_view id) const {
  std::vector<std::string> ids = {std::string(root_locked(id))};
  for (size_t at = 0; at < ids.size() && ids.size() <= 2 * kMaxPersonIds;) {
    // One distance from the root after the other.
    std::vector<std::pair<uint64_t, std::string>> next;
    for (const size_t end = ids.size(); at < end; ++at)
      if (const auto merged = merged_.find(ids[at]); merged != merged_.end())
        for (const std::string& from : merged->second) next.emplace_back(merges_.at(from).sequence, from);
    std::ranges::sort(next);
    for (auto& [sequence, from] : next) ids.push_back(std::move(from));
  }
  return ids;
}

std::vector<std::string> MergeTable::person_of(std::string_view id) const {
  if (empty()) return {std::string(id)};
  const std::shared_lock lock(mutex_);
  return person_locked(id);
}

absl::Status MergeTable::check_merge(std::string_view from, std::string_view into) const {
  const std::shared_lock lock(mutex_);
  if (const auto at = merges_.find(from); at != merges_.end()) {
    if (at->second.into == into) return absl::OkStatus();
    return absl::FailedPreconditionError("from_customer_id: " + quoted_id(from) + " is merged into " + quoted_id(at->second.into) +
                                         " already; take that back before it is merged into " + quoted_id(into));
  }
  if (root_locked(into) == from)
    return absl::FailedPreconditionError("into_customer_id: " + quoted_id(into) + " is merged into " + quoted_id(from) +
                                         " already, so that it would go round in a circle");
  if (person_locked(from).size() + person_locked(into).size() > kMaxPersonIds)
    return absl::FailedPreconditionError("into_customer_id: " + quoted_id(into) + " and " + quoted_id(from) +
                                         " would be one person of more than " + std::to_string(kMaxPersonIds) +
                                         " ids; is one of them shared by many?");
  return absl::OkStatus();
}

absl::Status MergeTable::check_unmerge(std::string_view from, absl::Time now) const {
  const std::shared_lock lock(mutex_);
  const auto at = merges_.find(from);
  if (at == merges_.end()) return absl::FailedPreconditionError("from_customer_id: " + quoted_id(from) + " is merged into nobody");
  if (now > absl::FromUnixMicros(at->second.time) + kUndoWindow)
    return absl::FailedPreconditionError("from_customer_id: " + quoted_id(from) + " was merged into " + quoted_id(at->second.into) +
                                         " more than 30 days ago, which is not taken back any more");
  return absl::OkStatus();
}

void MergeTable::add(std::string_view from, Merge merge) {
  const std::unique_lock lock(mutex_);
  merged_[merge.into].emplace_back(from);
  merges_[from] = std::move(merge);
  count();
}

void MergeTable::remove(std::string_view from) {
  if (empty()) return;
  const std::unique_lock lock(mutex_);
  const auto at = merges_.find(from);
  if (at == merges_.end()) return;
  const auto merged = merged_.find(at->second.into);
  std::erase(merged->second, from);
  if (merged->second.empty()) merged_.erase(merged);
  merges_.erase(at);
  count();
}

}  // namespace bouquet::server
