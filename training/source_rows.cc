#include "training/source_rows.h"

#include <string>

namespace bouquet::training {
namespace {

constexpr size_t kBatchRows = 4096;

// One event after the other into a batch; texts of a full batch are those of its arena.
class SourceRows {
 public:
  SourceRows(const RowRules& rules, EventLogBuilder& builder, ReadReport& report) : rules_(rules), builder_(builder), report_(report) {
    texts_.reserve(3 * kBatchRows);
  }

  absl::Status add(const SourceEvent& event) {
    ++report_.rows;
    const int32_t type = rules_.events.find(event.type);
    if (type == kNone) {
      ++report_.unknown_types;
      return absl::OkStatus();
    }
    if (!rules_.drop_customers.empty() && rules_.drop_customers.contains(std::string(event.customer))) {
      ++report_.dropped_customers;
      return absl::OkStatus();
    }
    batch_.customers.add(keep(event.customer));
    batch_.items.add(keep(event.item));
    batch_.times.push_back(event.time);
    batch_.values.push_back(event.value);
    batch_.types.push_back(static_cast<uint8_t>(type));
    batch_.baskets.push_back(event.basket.empty() ? 0 : basket_number(event.basket));
    // The store knows repetitions by their ids: to --distinct every event is another.
    if (rules_.distinct) batch_.fingerprints.emplace_back(static_cast<uint64_t>(report_.rows), ~uint64_t{0});
    return batch_.size() < kBatchRows ? absl::OkStatus() : flush();
  }

  absl::Status flush() {
    absl::Status added = builder_.add(batch_, rules_.events, report_);
    batch_.clear();
    texts_.clear();
    return added;
  }

 private:
  std::string_view keep(std::string_view text) { return texts_.emplace_back(text); }

  const RowRules& rules_;
  EventLogBuilder& builder_;
  ReadReport& report_;
  EventBatch batch_;
  std::vector<std::string> texts_;  // reserved: what stands in it does not move
};

}  // namespace

absl::Status read_source(EventSource& source, const RowRules& rules, EventLogBuilder& builder, ReadReport& report) {
  SourceRows rows(rules, builder, report);
  if (absl::Status s = source.read([&](const SourceEvent& event) { return rows.add(event); }); !s.ok()) return s;
  return rows.flush();
}

}  // namespace bouquet::training
