#include "server/event_store/store_check.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "bouquet/store/v1/catalog_entry.pb.h"
#include "bouquet/store/v1/erasure_receipt.pb.h"
#include "engine/errors.h"
#include "engine/id_map.h"
#include "server/event_store/answer_entries.h"
#include "server/event_store/customer_numbers.h"
#include "server/event_store/event_id_entry.h"
#include "server/event_store/event_keys.h"
#include "server/event_store/scan_options.h"
#include "server/event_store/store_counters.h"
#include "server/event_store/store_database.h"

namespace bouquet::server {
namespace {

constexpr size_t kNumberBytes = 8, kHashBytes = 32;

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
    each(Family::kErasures, "erasures", [this](std::string_view key, std::string_view value) { erasure(key, value); });
    check_hashes();
    each(Family::kMerges, "merges",
         [this, known = std::make_shared<KnownCustomers>(database_)](auto key, auto value) { merge(key, value, *known); });
    check_circles();
    each(Family::kAnswers, "answers", [this](std::string_view key, std::string_view value) { answer(key, value); });
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
    if (database_.family(family) == nullptr) return;
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

  // The salt comes between the receipts and the hashes of ids.
  void erasure(std::string_view key, std::string_view value) {
    if (key.starts_with('r')) {
      ++check_.erasures;
      store::v1::ErasureReceipt receipt;
      if (key.size() != 1 + kNumberBytes || !receipt.ParseFromArray(value.data(), static_cast<int>(value.size())))
        return problem("erasures: receipt " + hex(key) + " is damaged");
      const uint64_t sequence = fixed64_at(key.data() + 1);
      if (sequence == 0 || sequence > counters_.sequence) problem("erasures: number " + std::to_string(sequence) + " is past the newest");
      newest_of_hash_[receipt.id_hash()] = sequence;
      for (const auto& other : receipt.others()) newest_of_hash_[other.id_hash()] = sequence;
    } else if (key.starts_with('t')) {
      if (key.size() != 1 + kHashBytes || value.size() != 2 * kNumberBytes)
        return problem("erasures: the hash of an id, key " + hex(key) + ", is damaged");
      const auto receipt = newest_of_hash_.find(std::string(key.substr(1)));
      if (receipt == newest_of_hash_.end() || receipt->second != fixed64_at(value.data()))
        problem("erasures: the hash of an id, key " + hex(key) + ", is of an erasure that has no receipt");
      else
        newest_of_hash_.erase(receipt);
    } else if (key != "salt" || value.empty()) {
      problem("erasures: key " + hex(key) + " is damaged");
    }
  }

  void check_hashes() {
    for (const auto& [hash, sequence] : newest_of_hash_)
      problem("erasures: receipt number " + std::to_string(sequence) + " is of an id whose hash is not there");
  }

  // Of what was taken back customers may have been erased since.
  void merge(std::string_view key, std::string_view value, KnownCustomers& customers) {
    if (key.size() != 2 * kNumberBytes || value.size() != 3 * kNumberBytes) return problem("merges: key " + hex(key) + " is damaged");
    const CustomerNumber from = fixed64_at(key.data()), into = fixed64_at(value.data());
    const uint64_t sequence = fixed64_at(key.data() + kNumberBytes), undone = fixed64_at(value.data() + 2 * kNumberBytes);
    const auto wrong = [&](const std::string& what) {
      problem("merges: of customer number " + std::to_string(from) + " into number " + std::to_string(into) + ": " + what);
    };
    if (sequence == 0 || std::max(sequence, undone) > counters_.sequence)
      wrong("number " + std::to_string(sequence) + " is past the newest");
    if (undone != 0) return undone <= sequence ? wrong("was taken back before it was") : void();
    ++check_.merges;
    if (!customers.has(from) || get(Family::kCustomers, "n" + std::string(value.substr(0, kNumberBytes))).empty())
      wrong("there is no such customer");
    if (!into_.emplace(from, into).second) wrong("it is merged into another too");
  }

  void check_circles() {
    std::map<CustomerNumber, CustomerNumber> walked;  // with which of the walks that begin at each
    for (const auto& [from, into] : into_)
      for (auto at = into_.find(from); at != into_.end(); at = into_.find(at->second)) {
        const auto [before, is_new] = walked.emplace(at->first, from);
        if (is_new) continue;
        if (before->second == from) problem("merges: of customer number " + std::to_string(at->first) + " go round in a circle");
        break;
      }
  }

  void answer(std::string_view key, std::string_view value) {
    ++check_.answers;
    AnswerEntry entry;
    if (!parse_answer(key, value, entry) || entry.number != entry.logged.name().log())
      return problem("answers: key " + hex(key) + " is damaged");
    const std::string erased = get(Family::kErasures, "t" + std::string(key.substr(0, kHashBytes)));
    if (erased.size() == 2 * kNumberBytes && entry.logged.name().time() <= static_cast<int64_t>(fixed64_at(erased.data() + kNumberBytes)))
      problem("answers: key " + hex(key) + " is of somebody who was erased since");
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
  uint64_t ids_ = 0;                                // of customers
  std::map<std::string, uint64_t> newest_of_hash_;  // of erased ids, by the receipts; those whose hash was met are taken out
  std::map<CustomerNumber, CustomerNumber> into_;   // of merges that hold
};

}  // namespace

absl::StatusOr<StoreCheck> check_store(const std::string& folder) {
  const auto database = StoreDatabase::open_snapshot(folder);
  if (!database.ok()) return database.status();
  return Checker(**database).run();
}

}  // namespace bouquet::server
