#include "server/action_rules.h"

#include <algorithm>

namespace bouquet::server {
namespace {

constexpr double kDay = 86400e6;  // microseconds

}  // namespace

const ActionRule& ActionRules::of(std::string_view item_id) const {
  const auto found = by_item.find(std::string(item_id));
  return found == by_item.end() ? others : found->second;
}

bool ContactHistory::within(const Contact& contact, double days) const {
  return static_cast<double>(now_ - std::min(contact.time, now_)) < days * kDay;
}

bool ContactHistory::allows_any(const ContactLimit& all) const {
  if (all.contacts == 0) return true;
  int64_t count = 0;
  for (const Contact& contact : contacts_)
    if (within(contact, all.days)) count += contact.count;
  return count < all.contacts;
}

bool ContactHistory::allows(ItemIndex item, const ActionRule& rule) const {
  int64_t count = 0;
  for (const Contact& contact : contacts_) {
    if (contact.item != item) continue;
    if (within(contact, rule.cool_down_days)) return false;
    if (within(contact, rule.limit.days)) count += contact.count;
  }
  return rule.limit.contacts == 0 || count < rule.limit.contacts;
}

}  // namespace bouquet::server
