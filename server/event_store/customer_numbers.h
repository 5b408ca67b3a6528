// Customer ids and their numbers in Family::kCustomers: "i" + id -> number, "n" + number -> id.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/event_store/store_database.h"
#include "server/event_store/stored_event.h"

namespace rocksdb {
class Iterator;
}

namespace bouquet::server {

// Writes the number of each id, 0 for one that the store has not met. Errors: DataLoss, ResourceExhausted.
absl::Status find_customers(const StoreDatabase& database, std::span<const std::string_view> ids, std::span<CustomerNumber> numbers);

// Errors: NotFound, DataLoss, ResourceExhausted.
absl::StatusOr<std::string> id_of_customer(const StoreDatabase& database, CustomerNumber number);

// Ids by number for somebody who asks with rising numbers: one pass over all of them.
class CustomersByNumber {
 public:
  // `database` outlives this.
  explicit CustomersByNumber(const StoreDatabase& database);
  ~CustomersByNumber();

  // `number` is more than in the last call; the id lives until the next. Errors: as of id_of_customer.
  absl::StatusOr<std::string_view> id(CustomerNumber number);

 private:
  std::unique_ptr<rocksdb::Iterator> at_;
};

void put_new_customer(const StoreDatabase& database, std::string_view id, CustomerNumber number, rocksdb::WriteBatch& batch);
void delete_customer(const StoreDatabase& database, std::string_view id, CustomerNumber number, rocksdb::WriteBatch& batch);

}  // namespace bouquet::server
