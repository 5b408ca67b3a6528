// Writes a synthetic shop as the files that `bouquet train` reads (docs/formats.md), and the planted truth beside them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "training/synthetic_shop.h"

namespace bouquet::training {

enum class ShopFormat { kCsv, kJsonl };
enum class ShopOrder { kCustomer, kTime };  // of the event rows; by time takes 40 bytes of memory per event

struct ShopFiles {
  std::vector<std::string> files;  // events, items, truth; with planted attributes customers and types
  int64_t events = 0;
  int64_t returns = 0;
  int64_t pairs = 0;  // distinct (customer, item)
  int64_t baskets = 0;
  int64_t bytes = 0;  // of the events' file
};

// Writes events.csv or events.jsonl, items.csv (item_id, title, category, kind, price) and truth.csv (customer_id, category, share)
// into `folder`, which is made. With planted attributes items.csv has them in the place of the category, customers.csv has those of the
// customers, and bouquet.toml their types. A file of that name is replaced once the new one is whole. `progress` is called now and then
// with the rows written. Errors: ResourceExhausted, naming the file.
absl::StatusOr<ShopFiles> write_shop(const SyntheticShop& shop, const std::string& folder, ShopFormat format, ShopOrder order,
                                     const std::function<void(int64_t)>& progress = {});

}  // namespace bouquet::training
