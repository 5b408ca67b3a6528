// Customers whom a store's server knows as one person: what they did is learned from as one customer's, whichever file has it.
#pragma once

#include "training/dataset.h"
#include "training/event_source.h"

namespace bouquet::training {

// Gives the events of merged ids to the one that has the first word, in order: of equal times by item id, type and value.
void join_merged(const EventSource& store, Dataset& dataset);

}  // namespace bouquet::training
