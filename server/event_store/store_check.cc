#include "server/event_store/store_check.h"

#include <rocksdb/db.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string_view>

#include "bouquet/store/v1/catalog_entry.pb.h"
#include "engine/errors.h"
#include "engine/id_map.h"
#include "server/event_store/customer_numbers.h"
#include "server/event_store/event_id_entry.h"
#include "server/event_store/event_keys.h"
#include "server/event_store/scan_options.h"
#include "server/event_store/store_counters.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {
namespace {

constexpr size_t kNumberBytes = 8;

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// Entries of one customer after another, by number.
class KnownCustomers {
 public:
  explicit KnownCustomers(const StoreDatabase& database) : customers_(database) {}
  bool has(CustomerNumber number) {
    if (number != last_) {
      known_ = customers_.id(number).ok();
      last_ = number;
    }
    return known_;
  }

 private:
  CustomersByNumber customers_;
  CustomerNumber last_ = 0;
  bool known_ = false;
};

class Checker {
 public:
  explicit Checker(const StoreDatabase& database) : database_(database) { check_.identity = database.identity(); }

  StoreCheck run() {
    const auto counters = read_counters(database_);
    if (counters.ok())
      counters_ = *counters;
    else
      problem(std::string(message_of(counters.status())));
    check_.newest_sequence = counters_.sequence;
    each(Family::kNames, "names", [this](std::string_view key, std::string_view value) { name(key, value); });
    each(Family::kCustomers, "customers", [this](std::string_view key, std::string_view value) { customer(key, value); });
    each(Family::kEvents, "events",
         [this, known = std::make_shared<KnownCustomers>(database_)](auto key, auto value) { event(key, value, *known); });
    each(Family::kAttributes, "attributes",
         [this, known = std::make_shared<KnownCustomers>(database_)](auto key, auto value) { attribute(key, value, *known); });
    each(Family::kEventIds, "event_ids", [this](std::string_view key, std::string_view value) { event_id(key, value); });
    each(Family::kCatalog, "default", [this](std::string_view key, std::string_view value) { catalog(key, value); });
    compare("events", check_.events, counters_.events);
    compare("customers", check_.customers, counters_.customers);
    compare("customer ids", ids_, check_.customers);
    return std::move(check_);
  }

 private:
  using Entry = std::function<void(std::string_view key, std::string_view value)>;

  void problem(const std::string& what) {
    if (++check_.problem_count <= StoreCheck::kMaxProblems) check_.problems.push_back(what);
  }
  void compare(const std::string& what, uint64_t found, uint64_t expected) {
    if (found != expected) problem("there are " + std::to_string(found) + " " + what + ", and there should be " + std::to_string(expected));
  }

  void each(Family family, const std::string& family_name, const Entry& take) {
    rocksdb::ReadOptions options = scan_options();
    options.verify_checksums = true;
    const std::unique_ptr<rocksdb::Iterator> at(database_.rocks().NewIterator(options, database_.family(family)));
    for (at->SeekToFirst(); at->Valid(); at->Next()) take(at->key().ToStringView(), at->value().ToStringView());
    if (!at->status().ok()) problem(family_name + ": cannot be read to the end: " + at->status().ToString());
  }

  void name(std::string_view key, std::string_view value) {
    const bool is_item = key.starts_with('i');
    uint64_t& count = is_item ? check_.items : check_.event_types;
    if (key.size() != 1 + kNumberBytes || !(is_item || key.starts_with('t'))) return problem("names: key " + hex(key) + " is damaged");
    const uint64_t number = fixed64_at(key.data() + 1);
    const std::string which = std::string(is_item ? "item" : "event type") + " number " + std::to_string(number);
    if (number != count) problem("names: " + which + " follows on number " + std::to_string(count) + " that is not there");
    if (value.empty() || value.size() > kMaxIdBytes) problem("names: the id of " + which + " is damaged");
    count = number + 1;
  }

  std::string get(Family family, const std::string& key) const {
    std::string value;
    return database_.rocks().Get({}, database_.family(family), key, &value).ok() ? value : std::string();
  }

  void customer(std::string_view key, std::string_view value) {
    if (key.starts_with('n') && key.size() == 1 + kNumberBytes) {
      ++check_.customers;
      const uint64_t number = fixed64_at(key.data() + 1);
      if (number == 0 || number > counters_.last_customer) problem("customers: number " + std::to_string(number) + " was never given");
      return;
    }
    uint64_t number = 0;
    if (!key.starts_with('i') || key.size() < 2 || !take_varint(value, number) || !value.empty())
      return problem("customers: an entry for number " + std::to_string(number) + " is damaged");
    ++ids_;
    std::string back = "n";
    append_fixed64(number, back);
    if (get(Family::kCustomers, back) != key.substr(1))
      problem("customers: an id stands for number " + std::to_string(number) + ", which stands for another one or nothing");
  }

  void event(std::string_view key, std::string_view value, KnownCustomers& customers) {
    ++check_.events;
    if (key.size() != kEventKeyBytes) return problem("events: key " + hex(key) + " is damaged");
    const CustomerNumber customer = customer_of_key(key);
    const uint64_t sequence = sequence_of_key(key);
    const auto wrong = [&](const std::string& what) {
      problem("events: number " + std::to_string(sequence) + " of customer number " + std::to_string(customer) + ": " + what);
    };
    StoredEvent event;
    if (!parse_event_value(value, event)) return wrong("is damaged");
    if (!customers.has(customer)) wrong("there is no such customer");
    if (static_cast<uint64_t>(event.item) >= check_.items) wrong("there is no item number " + std::to_string(event.item));
    if (static_cast<uint64_t>(event.type) >= check_.event_types) wrong("there is no event type number " + std::to_string(event.type));
    if (!std::isfinite(event.value)) wrong("its value is no number");
    if (sequence == 0 || sequence > counters_.sequence) wrong("the newest is " + std::to_string(counters_.sequence));
  }

  void attribute(std::string_view key, std::string_view value, KnownCustomers& customers) {
    ++check_.attributes;
    if (key.size() <= kCustomerKeyBytes) return problem("attributes: key " + hex(key) + " is damaged");
    const CustomerNumber customer = customer_of_key(key);
    const auto wrong = [&](const std::string& what) {
      problem("attributes: of customer number " + std::to_string(customer) + ": " + what);
    };
    uint64_t sequence = 0;
    v1::AttributeValue parsed;
    if (!take_varint(value, sequence) || !parsed.ParseFromArray(value.data(), static_cast<int>(value.size()))) return wrong("is damaged");
    if (!customers.has(customer)) wrong("there is no such customer");
    if (sequence == 0 || sequence > counters_.sequence) wrong("number " + std::to_string(sequence) + " is past the newest");
  }

  void event_id(std::string_view key, std::string_view value) {
    ++check_.event_ids;
    const auto entry = parse_event_id_entry(value);
    if (key.size() != sizeof(EventIdHash) || !entry) return problem("event_ids: the entry of " + hex(key) + " is damaged");
    if (entry->sequence > counters_.sequence) problem("event_ids: the entry of " + hex(key) + " is of an arrival past the newest");
  }

  void catalog(std::string_view key, std::string_view value) {
    if (key.starts_with('r')) {
      if (get(Family::kCatalog, std::string(value)) != key.substr(1)) problem("default: a request id and its number do not agree");
    } else if (key.starts_with('n') && key.size() == 1 + kNumberBytes) {
      if (get(Family::kCatalog, "r" + std::string(value)) != key) problem("default: a request's number and its id do not agree");
    } else if (key.starts_with('i')) {
      ++check_.catalog_items;
      store::v1::CatalogEntry entry;
      if (!entry.ParseFromArray(value.data(), static_cast<int>(value.size())) || entry.item().item_id() != key.substr(1))
        problem("default: the entry of an item (key " + hex(key) + ") is damaged");
    }
  }

  const StoreDatabase& database_;
  StoreCounters counters_;
  StoreCheck check_;
  uint64_t ids_ = 0;  // of customers
};

}  // namespace

absl::StatusOr<StoreCheck> check_store(const std::string& folder) {
  const auto database = StoreDatabase::open_snapshot(folder);
  if (!database.ok()) return database.status();
  return Checker(**database).run();
}

}  // namespace bouquet::server
