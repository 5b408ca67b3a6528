// What the shop says of its actions, [actions] and [actions.<item id>] of the configuration: what each is worth, and when a customer must
// be left alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/views.h"

namespace bouquet::server {

// At most so many contacts within so many days.
struct ContactLimit {
  int32_t contacts = 0;  // 0: no limit
  double days = 0;

  bool operator==(const ContactLimit&) const = default;
};

struct ActionRule {
  double value = 1;           // what it is worth when the customer takes it, 0 or more
  double cool_down_days = 0;  // after a contact by it, not offered for so long
  ContactLimit limit;         // of contacts by it

  bool operator==(const ActionRule&) const = default;
};

// Immutable; thread-safe.
struct ActionRules {
  ActionRule others;                          // of actions that are not named
  std::map<std::string, ActionRule> by_item;  // what is not said of an action is as of the others
  ContactLimit all;                           // of contacts by any action
  std::function<absl::Time()> now = absl::Now;

  const ActionRule& of(std::string_view item_id) const;
};

// A contact by an action: an event of any type with it.
struct Contact {
  ItemIndex item = kNone;
  int64_t time = 0;   // microseconds since 1970
  int32_t count = 1;  // how many there were until then
};

// The contacts of one customer, and what they forbid at the moment `now`. A contact counts until its days are over, to the microsecond; one
// of the future counts as of now.
class ContactHistory {
 public:
  ContactHistory(std::vector<Contact> contacts, int64_t now) : contacts_(std::move(contacts)), now_(now) {}

  // Whether the limit over all actions leaves room for another one.
  bool allows_any(const ContactLimit& all) const;
  // Whether `rule`, of `item`, allows it.
  bool allows(ItemIndex item, const ActionRule& rule) const;

 private:
  bool within(const Contact& contact, double days) const;

  std::vector<Contact> contacts_;
  int64_t now_;
};

}  // namespace bouquet::server
