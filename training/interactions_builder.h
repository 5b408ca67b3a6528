// From a part of a data set to what a backend trains on. Everything frozen is taken from that part alone (T, caps, which items
// and customers exist), so that nothing later can leak into a fit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/attribute_schema.h"
#include "engine/event_rules.h"
#include "engine/interactions.h"
#include "training/dataset.h"

namespace bouquet::training {

// A part of the data set with dense numbering of its own.
struct TrainingSet {
  Interactions interactions;
  std::vector<CustomerIndex> customers;  // local row -> Dataset row, ascending: customers with at least one event in the part
  std::vector<ItemIndex> items;          // local row -> Dataset row, ascending: items with at least one event in the part, or listed
  EventRules rules;                      // with caps and T of the part
  AttributeSchema customer_schema, item_schema;  // of interactions' attributes (set_attributes.h); empty without
  // The rest of each pair, in the order of interactions.by_customer: what serving keeps.
  std::vector<uint8_t> consumed;
  std::vector<float> repurchase;
};

// Takes the events with in_part[e] != 0 (empty: all). `with_listed`: items that an item file lists are taken too where no event of the part
// has them; what is known of them stands in their attributes. Errors: DataLoss (no pair left, fewer than two items).
absl::StatusOr<TrainingSet> build_training_set(const Dataset& dataset, std::span<const uint8_t> in_part, bool with_listed = false);

}  // namespace bouquet::training
