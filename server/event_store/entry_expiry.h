// Lets compaction drop the event ids that are older than the window.
#pragma once

#include <rocksdb/compaction_filter.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"

namespace bouquet::server {

class EventIdExpiryFactory final : public rocksdb::CompactionFilterFactory {
 public:
  // Nothing is dropped before `armed` is true.
  EventIdExpiryFactory(absl::Duration window, std::function<absl::Time()> clock, std::shared_ptr<const std::atomic<bool>> armed)
      : window_(window), clock_(std::move(clock)), armed_(std::move(armed)) {}

  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(const rocksdb::CompactionFilter::Context& context) override;
  const char* Name() const override { return "bouquet.EventIdExpiry"; }

 private:
  const absl::Duration window_;
  const std::function<absl::Time()> clock_;
  const std::shared_ptr<const std::atomic<bool>> armed_;
};

}  // namespace bouquet::server
