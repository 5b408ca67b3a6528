// The attributes of a dataset's customers and items, and what the events say about them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "training/event_reader.h"

namespace bouquet::training {

// Fills customer_attributes and item_attributes of a dataset whose events have been read, also from the store of `options`; its report gets
// the bad rows, and its sources what was read of the store. Looked for as leaks
// are attributes that determine how many events a customer or item has, or when the last one was. Errors: as read_attributes.
absl::Status read_dataset_attributes(const ReadOptions& options, const std::vector<std::string>& customer_files,
                                     const std::vector<std::string>& item_files, Dataset& dataset);

}  // namespace bouquet::training
