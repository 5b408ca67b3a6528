// Lets compaction drop entries whose time is over.
#pragma once

#include <rocksdb/compaction_filter.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"

namespace bouquet::server {

class EntryExpiryFactory final : public rocksdb::CompactionFilterFactory {
 public:
  // Whether an entry of this value has no more to say at `now`.
  using IsOver = std::function<bool(std::string_view value, absl::Time now)>;

  // Nothing is dropped before `armed` is true.
  EntryExpiryFactory(IsOver is_over, std::function<absl::Time()> clock, std::shared_ptr<const std::atomic<bool>> armed)
      : is_over_(std::move(is_over)), clock_(std::move(clock)), armed_(std::move(armed)) {}

  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(const rocksdb::CompactionFilter::Context& context) override;
  const char* Name() const override { return "bouquet.EntryExpiry"; }

 private:
  const IsOver is_over_;
  const std::function<absl::Time()> clock_;
  const std::shared_ptr<const std::atomic<bool>> armed_;
};

}  // namespace bouquet::server
