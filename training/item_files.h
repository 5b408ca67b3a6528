// Item files: one row per item, with title, category, kind and whatever else filters may ask for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog.h"
#include "engine/id_map.h"
#include "training/event_reader.h"

namespace bouquet::training {

// The catalog of `items` (rows are their indices) from `files`, with the columns of item_columns(); items without a row are untitled
// products that miss the rest. Rows of other items are
// counted in report.unknown_items and left out. Bad rows count with those of the events. Errors: as read_dataset, and DataLoss for two
// rows of one item.
absl::StatusOr<Catalog> read_item_files(std::span<const std::string> files, const ReadOptions& options, const IdMap& items,
                                        ReadReport& report);

// The same, but rows of other items add them to `items`; `listed` [items] tells afterwards which have a row.
absl::StatusOr<Catalog> read_listed_items(std::span<const std::string> files, const ReadOptions& options, IdMap& items, ReadReport& report,
                                          std::vector<uint8_t>& listed);

}  // namespace bouquet::training
